# One image for both roles of widemerge: the worker (`merge`) and the controller (`run-all`).
#   docker build --build-arg REVISION=$(git rev-parse HEAD) --tag widemerge:0.1.0 .
# `scripts/image.sh build` does this with docker or podman. It uses no extension of a build engine. BASE is any glibc system
# with Node 22.19 or newer, npm and util-linux. It is pinned by its digest, because a tag can move.
ARG BASE=docker.io/library/node:26.10.0-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2

FROM ${BASE} AS packages
WORKDIR /opt/widemerge
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --loglevel=error
COPY scripts/prune-packages.sh scripts/
RUN scripts/prune-packages.sh node_modules

# tini is process 1: the kernel drops a signal that process 1 has no handler for, and Node has none while it starts.
# This stage deletes what nothing here uses (package managers, headers, manuals) and every set-user-id bit.
FROM ${BASE} AS system
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends tini
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/share /usr/local/bin/npm /usr/local/bin/npx \
      /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* /root/.npm /root/.cache \
      /usr/share/man /usr/share/info /usr/share/locale /usr/share/lintian \
      /var/lib/apt/lists /var/cache/* /var/log/* /tmp/* \
  && find /usr/share/doc -type f ! -name copyright -delete \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
  && echo 'widemerge:x:65532:65532::/tmp:/usr/sbin/nologin' >>/etc/passwd \
  && echo 'widemerge:x:65532:' >>/etc/group \
  && mkdir -p /data /opt/widemerge \
  && node --version && prlimit --version && setpriv --version && tini --version

# A copy in one layer: the layers of the base would still contain the files that the stage above deletes.
FROM scratch AS runtime
COPY --from=system / /
ENV PATH=/opt/widemerge/bin:/usr/local/bin:/usr/bin:/bin NODE_ENV=production HOME=/tmp TMPDIR=/tmp
WORKDIR /opt/widemerge
COPY --from=packages /opt/widemerge/node_modules node_modules/
COPY LICENSE package.json ./
COPY bin bin/
COPY scripts/find-node.sh scripts/
COPY prices prices/
COPY profiles profiles/
COPY data data/
COPY src src/

# With compiled modules a start is 0.2 s faster and uses 26 MiB less. The warm-up script makes them by using the image, which
# also proves that it works.
FROM runtime AS compiled
RUN mkdir -m 777 .toolchain
USER 65532:65532
COPY scripts/warm-up.sh scripts/
RUN scripts/warm-up.sh

FROM runtime
COPY --from=compiled --chown=0:0 /opt/widemerge/.toolchain/compile-cache .toolchain/compile-cache/
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="widemerge" \
      org.opencontainers.image.description="Merges hundreds of Parquet feature tables into one wide training file, inside a memory ceiling." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["tini", "--", "widemerge"]
CMD ["--help"]
