import { registerSuite } from "./suite.ts";

registerSuite("java", [
  "java_snappy",
  "java_zstd_v2",
  "java_gzip_plain",
  "java_none",
  "java_v2_plain",
  "java_lz4",
  "java_bloom",
  "java_groups",
]);
