import { registerSuite } from "./suite.ts";

registerSuite("pandas", ["pd_snappy", "pd_zstd", "pd_gzip", "pd_column"]);
