# One image for all services; the command chooses.
FROM node:24-trixie-slim AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete

# Installed anew only when a manifest has changed.
FROM node:24-trixie-slim AS modules
WORKDIR /app
COPY --from=manifests /app .
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -delete
COPY . .
RUN node deploy/strip-types.mjs && rm package-lock.json .npmrc deploy/strip-types.mjs \
 && mkdir -m 0700 /data && chown 1000:1000 /data

# Node without npm, and Debian without the build's leavings.
FROM debian:trixie-slim
COPY --from=modules /usr/local/bin/node /usr/local/bin/node
COPY --from=modules /app /app
# A new volume takes over owner and mode of the folder that it is mounted on.
COPY --from=modules --chown=1000:1000 /data /var/lib/kopeck
COPY --from=modules --chown=1000:1000 /data /acme
WORKDIR /app
ENV NODE_ENV=production
USER 1000:1000
# Room for what lives as long as a request, old objects cleared up when they have doubled; what is left
# over is given back when it is quiet (packages/runtime/src/memory.ts).
ENTRYPOINT ["node", "--max-semi-space-size=16", "--heap-growing-percent=100", "--max-old-space-size=160", "--expose-gc"]
CMD ["cli/src/kopeck.js", "help"]
