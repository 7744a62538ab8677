#!/usr/bin/env bash
# What people type: curl against a server of the digits example at $DIGITS (host:port). Prints a line for each, and ends with 1 at the first that is not
# answered as it should be.
set -euo pipefail
cd "$(dirname "$0")/../.."
server="http://$DIGITS"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

expect() { # what, the extended regular expression that the answer must match; the answer comes by standard input
  tr -d '\0' >"$directory/answer"
  if ! grep -qaE "$2" "$directory/answer"; then
    echo "failed: $1: $(head -c 500 "$directory/answer")" >&2
    exit 1
  fi
  echo "ok: $1"
}

curl -sS -i "$server/v2/health/ready" | expect 'ready' '^HTTP/1.1 200'
curl -sS "$server/v2" | expect 'server metadata' '"extensions":\['
curl -sS "$server/v2/models/digits" | expect 'model metadata' '"name":"pixels","datatype":"FP32","shape":\[-1,64\]'
infer="$server/v2/models/digits/infer"
curl -sS "$infer" -d @examples/digits/request.json | expect 'a file of JSON' '"data":\[3,4,6\]'
gzip -c examples/digits/request.json | curl -sS "$infer" -H 'content-encoding: gzip' --data-binary @- | expect 'compressed JSON' '"data":\[3,4,6\]'
curl -sS --compressed "$infer" -d @examples/digits/request.json | expect 'a compressed answer' '"data":\[3,4,6\]'
curl -sS -H 'transfer-encoding: chunked' "$infer" -d @examples/digits/request.json | expect 'a body in chunks' '"data":\[3,4,6\]'
head -c 512 /dev/zero | curl -sS "$infer" -H 'inference-header-content-length: 0' --data-binary @- | expect 'raw bytes' '"shape":\[2,10\]'
curl -sS -i "$infer" -d '{}' | expect 'what is wrong' '"error":"'
curl -sS -I "$server/v2/models/digits" | expect 'HEAD' '^HTTP/1.1 200'
curl -sS "$server/openapi.json" | expect 'OpenAPI' '"openapi":"3'
