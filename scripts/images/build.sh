#!/bin/sh
# Builds the images from the bundles in dist/, with docker if it runs and buildah otherwise.
#
#   REGISTRY=localhost TAG=dev scripts/images/build.sh operator|runtime|cuda...
#
# PLATFORM  another platform than this machine's, such as linux/arm64: needs emulation, for the build runs each program once
set -eu
cd "$(dirname "$0")/../.."

version=$(node -p 'require("./package.json").version')
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
# The same files give the same layers, whenever they are built.
export SOURCE_DATE_EPOCH=0

if docker info >/dev/null 2>&1; then
  build() { docker build "$@"; }
elif command -v buildah >/dev/null; then
  build() { buildah build --layers --timestamp "$SOURCE_DATE_EPOCH" "$@"; }
else
  echo "Images are built with docker or buildah: start docker, or install buildah (apt install buildah), and try again." >&2
  exit 2
fi

for image in "$@"; do
  case $image in
    operator) name=pilotlight-operator:$TAG file=operator/Dockerfile target= ;;
    runtime) name=pilotlight-runtime:$TAG file=runtime/Dockerfile target=cpu ;;
    cuda) name=pilotlight-runtime:$TAG-cuda file=runtime/Dockerfile target=cuda ;;
    *) echo "There is no image \"$image\": operator, runtime and cuda are." >&2 && exit 2 ;;
  esac
  build ${PLATFORM:+--platform "$PLATFORM"} ${target:+--target "$target"} --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --file "$file" --tag "$REGISTRY/$name" .
  echo "Built $REGISTRY/$name"
done
