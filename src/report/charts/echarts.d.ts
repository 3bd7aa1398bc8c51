/** ECharts as one minified file: it exports what the package does, and brings no types of its own. */
declare module "echarts/dist/echarts.esm.min" {
  export * from "echarts";
}
