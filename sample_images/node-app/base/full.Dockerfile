FROM node:14-slim

RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    ca-certificates curl git gnupg mercurial netbase openssh-client procps sq subversion wget \
  && rm -rf /var/lib/apt/lists/*

RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    autoconf automake build-essential bzip2 clang cmake default-libmysqlclient-dev dpkg-dev \
    file g++ gcc gdb imagemagick libbz2-dev libc6-dev libcurl4-openssl-dev libdb-dev \
    libevent-dev libffi-dev libgdbm-dev libglib2.0-dev libgmp-dev libjpeg-dev libkrb5-dev \
    liblzma-dev libmagickcore-dev libmagickwand-dev libmaxminddb-dev libncurses5-dev \
    libncursesw5-dev libpng-dev libpq-dev libreadline-dev libsqlite3-dev libssl-dev libtool \
    libwebp-dev libxml2-dev libxslt1-dev libyaml-dev make patch python3 python3-dev unzip \
    xz-utils zlib1g-dev \
  && rm -rf /var/lib/apt/lists/*

CMD ["node"]
