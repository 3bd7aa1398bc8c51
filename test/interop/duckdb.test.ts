import { registerSuite } from "./suite.ts";

registerSuite("duckdb", ["dk_default", "dk_zstd_v2", "dk_groups", "dk_plain"]);
