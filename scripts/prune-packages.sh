#!/bin/sh
# prune-packages.sh NODE_MODULES : deletes files that no import at run time can reach. Licences stay.
set -eu
cd "$1"
# Compilers and debuggers read these: declarations, source maps, and the compiler itself, an optional peer of valibot.
find . -type f '(' -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' ')' -delete
rm -rf typescript @types undici-types .bin
# The report imports one bundle of echarts, which includes zrender; the rest of both is for other uses.
find echarts/dist -type f ! -name echarts.esm.min.mjs -delete
rm -rf echarts/lib echarts/types echarts/asset echarts/i18n echarts/theme zrender/dist zrender/lib zrender/src
# Another runtime, Bare, has add-ons for every platform; Node uses its own streams.
find . -type d -path '*/bare-*/prebuilds' -prune -exec rm -rf {} +
# People read these.
find . -type f '(' -iname 'readme*' -o -iname 'changelog*' -o -iname 'history.md' ')' ! -name '*.js' -delete
find . -type d -empty -delete
