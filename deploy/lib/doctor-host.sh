# shellcheck shell=bash

HOST_CHECKS=()
