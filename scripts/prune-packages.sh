#!/bin/sh
# prune-packages.sh NODE_MODULES : deletes what no import at run time can reach. Licences stay.
set -eu
cd "$1"
# For compilers and debuggers: declarations, source maps, and the compiler itself (valibot has it as an optional peer).
find . -type f '(' -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' ')' -delete
rm -rf typescript @types undici-types .bin
# Whole bundles for browsers: the report imports echarts' and zrender's modules under lib/.
rm -rf echarts/dist echarts/types echarts/asset echarts/i18n echarts/theme zrender/dist
# For other runtimes: Bare's add-ons come for every platform, and streams for Node are Node's own.
find . -type d -path '*/bare-*/prebuilds' -prune -exec rm -rf {} +
# For people.
find . -type f '(' -iname 'readme*' -o -iname 'changelog*' -o -iname 'history.md' ')' ! -name '*.js' -delete
find . -type d -empty -delete
