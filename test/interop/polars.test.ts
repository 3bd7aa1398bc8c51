import { registerSuite } from "./suite.ts";

registerSuite("polars", ["pl_default", "pl_snappy", "pl_groups", "pl_plain"]);
