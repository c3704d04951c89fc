#!/bin/sh
# Makes the certificates that tests of encrypted connections use: an authority, and a server's that it vouches for.
# They are for tests alone and hold for a hundred years; the authority's key is thrown away.
set -eu
cd "$(dirname "$0")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=Test authority" \
    -keyout authority.key -out authority.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > server.ext
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 36500 -extfile server.ext \
    -out server.pem
rm -f authority.key authority.srl server.csr server.ext
