FROM debian:bookworm-min

RUN groupadd --gid 1000 node \
  && useradd --uid 1000 --gid node --shell /bin/bash --create-home node

ENV NODE_VERSION=14.21.3
# Certificates of the host that made the base, on top of those node brings.
ENV NODE_EXTRA_CA_CERTS=/usr/local/etc/ssl/host-ca.crt

COPY usr-local /usr/local

CMD ["node"]
