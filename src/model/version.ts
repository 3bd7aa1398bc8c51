import packageJson from "../../package.json" with { type: "json" };

/** The version of widemerge that is written into outputs and manifests. */
export const version: string = packageJson.version;
