/** The parts of ECharts in use, in a file of their own so that they are loaded with the first chart. */
import { BarChart, type BarSeriesOption, LineChart, type LineSeriesOption } from "echarts/charts";
import {
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  type LegendComponentOption,
  TooltipComponent,
  type TooltipComponentOption,
} from "echarts/components";
import { type ComposeOption, init as initChart, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

type Option = ComposeOption<
  BarSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption
>;
type One<T> = Exclude<T, readonly unknown[] | undefined>;

/** With one axis each way. */
export type ChartOption = Omit<Option, "xAxis" | "yAxis" | "legend" | "tooltip"> & {
  xAxis: One<Option["xAxis"]>;
  yAxis: One<Option["yAxis"]>;
  legend?: One<Option["legend"]>;
  tooltip?: One<Option["tooltip"]>;
};

export function init(place: HTMLElement) {
  return initChart(place, null, { renderer: "canvas" });
}
