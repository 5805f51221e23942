# The image of edgemill: one static binary, the certificates that TLS needs, and the job files.
# scripts/image builds it, with or without a Docker daemon, and tries it.

# Another image that has cargo, rustc and a C compiler may stand in for this one.
ARG RUST_IMAGE=rust:1.95-slim-bookworm

FROM ${RUST_IMAGE} AS build
# Linked statically, the binary needs no file of a system, so the image has none. A target that is named, even if it is
# the machine's own, keeps the flags from the libraries that run inside the compiler, which cannot be static.
# Packed, the addresses that are set at the start take 10 MB less.
ENV CARGO_BUILD_TARGET=host-tuple \
    RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
WORKDIR /build

# The dependencies, nine tenths of the build, in a layer that only a change of the manifest makes anew. Cargo wants every
# target of the manifest to have a file, so empty ones stand in.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src benches \
 && echo '//! Stands in.' > src/lib.rs \
 && sed -n '/^\[\[bench\]\]/ { n; s/^name = "\(.*\)"$/benches\/\1.rs/p; }' Cargo.toml > benches/list \
 && xargs -a benches/list touch \
 && cargo build --release --locked --lib

COPY src src
COPY ddl ddl
# Cargo goes by the times of files, and the file that stood in is newer than the real one: hence the touch.
# Without what cargo leaves behind this layer, made anew by each change, is as small as the binary.
# A binary that does not start, or asks for a loader, which the image does not have, fails the build. Cargo's own `strip`
# does nothing where the profile says something of one package.
RUN touch src/lib.rs \
 && cargo build --release --locked --bin edgemill \
 && install -d /image/etc \
 && install -d -m 1777 /image/tmp \
 && echo 'hosts: files dns' > /image/etc/nsswitch.conf \
 && strip -o /image/edgemill target/*/release/edgemill \
 && /image/edgemill --version \
 && readelf -lW /image/edgemill > target/headers \
 && ! grep INTERP target/headers \
 && rm -rf target

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /image/ /
COPY LICENSE /
COPY jobs/ /jobs/
# scripts/image adds the version and the commit.
LABEL org.opencontainers.image.title="edgemill" \
      org.opencontainers.image.description="Turns CloudFront and load balancer access logs into a Parquet lake that costs little to query" \
      org.opencontainers.image.licenses="Apache-2.0"
# By number: the image has no list of users, and Kubernetes takes only a number as proof that it is not root.
USER 65532:65532
# The one folder that can be written, also where the root file system is read-only. Declared as a volume it keeps its
# mode on Fargate, which otherwise mounts a folder that only root can write.
WORKDIR /tmp
VOLUME ["/tmp"]
ENTRYPOINT ["/edgemill"]
CMD ["--help"]
