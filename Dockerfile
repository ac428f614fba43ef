# The sidecar as an image: the program, the libraries that it needs, and nothing else.
#
#   docker build -t candor .
#   docker run --rm --read-only --cap-drop ALL --network container:APP -v "$PWD/candor:/etc/candor:ro" candor
#
# It joins the network of the application APP, whose sidecar it is. The folder with candor.yaml is mounted, not
# the file: a mounted file goes on showing its first version.

ARG BASE=debian:12-slim

FROM ${BASE} AS build
WORKDIR /source
COPY docker/packages.txt docker/install-packages docker/stage-runtime docker/
RUN docker/install-packages build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY include include
COPY src src
RUN cmake --preset release -DCANDOR_TESTS=OFF \
    && cmake --build --preset release -j "$(nproc)" --target candor \
    && docker/stage-runtime build/release/candor /image \
    && chroot --userspec 65532:65532 /image /candor version

FROM scratch
LABEL org.opencontainers.image.title="candor" \
      org.opencontainers.image.description="A sidecar HTTP resilience proxy with an honest circuit breaker"
COPY --from=build /image/ /
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# There is no shell in here, so each of these is a list. The check asks 127.0.0.1:15000, the default; if the
# configuration has another admin.listen, give it --admin HOST:PORT in an image built on this one, or turn it off
# by `docker run --no-healthcheck`: --health-cmd would need a shell.
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s --retries=3 CMD ["/candor", "healthcheck"]
ENTRYPOINT ["/candor"]
CMD ["run", "-c", "/etc/candor/candor.yaml"]
