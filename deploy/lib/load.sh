# shellcheck shell=bash
# All of the library, for the two programs that use it: deploy/install and deploy/kopeck.
LIB=$(dirname "${BASH_SOURCE[0]}")
source "$LIB/say.sh"
source "$LIB/messages.sh"
source "$LIB/ask.sh"
source "$LIB/dotenv.sh"
source "$LIB/flags.sh"
source "$LIB/platform.sh"
source "$LIB/preflight.sh"
source "$LIB/suite.sh"
source "$LIB/release.sh"
source "$LIB/certificates.sh"
source "$LIB/answers.sh"
source "$LIB/backup.sh"
source "$LIB/restore.sh"
source "$LIB/upgrade.sh"
source "$LIB/host-settings.sh"
source "$LIB/urls.sh"
source "$LIB/uninstall.sh"

# use_folder FOLDER: where everything of an installation is.
use_folder() {
  KOPECK_DIR=$1
  ENV_FILE=$KOPECK_DIR/.env
}
