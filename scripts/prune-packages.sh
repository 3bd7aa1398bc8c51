#!/bin/sh
# prune-packages.sh NODE_MODULES : deletes what no import at run time can reach. Licences stay.
set -eu
cd "$1"
# For compilers and debuggers: declarations, source maps, and the compiler itself (valibot has it as an optional peer).
find . -type f '(' -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' ')' -delete
rm -rf typescript @types undici-types .bin
# The report imports one bundle of echarts, which includes zrender; the rest of both is for other uses.
find echarts/dist -type f ! -name echarts.esm.min.mjs -delete
rm -rf echarts/lib echarts/types echarts/asset echarts/i18n echarts/theme zrender/dist zrender/lib zrender/src
# For other runtimes: Bare's add-ons come for every platform, and streams for Node are Node's own.
find . -type d -path '*/bare-*/prebuilds' -prune -exec rm -rf {} +
# For people.
find . -type f '(' -iname 'readme*' -o -iname 'changelog*' -o -iname 'history.md' ')' ! -name '*.js' -delete
find . -type d -empty -delete
