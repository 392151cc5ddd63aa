/** A chart; ECharts comes when the first one is shown. It follows the size of its place and the colours of the page. */
import { Box, Skeleton, useComputedColorScheme } from "@mantine/core";
import type { EChartsType } from "echarts/core";
import { useEffect, useRef, useState } from "react";
import type { ChartOption } from "@/components/echarts";

interface Props {
  option: ChartOption;
  /** What it shows, for who cannot see it: the numbers in words. */
  label: string;
  height?: number;
}

export function Chart({ option, label, height = 220 }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<EChartsType | null>(null);
  const scheme = useComputedColorScheme();

  useEffect(() => {
    let made: EChartsType | null = null;
    let over = false;
    const resized = new ResizeObserver(() => made?.resize());
    import("@/components/echarts").then(({ init }) => {
      if (over || place.current === null) return;
      made = init(place.current);
      resized.observe(place.current);
      setChart(made);
    });
    return () => {
      over = true;
      resized.disconnect();
      made?.dispose();
      setChart(null);
    };
  }, []);

  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(`--mantine-color-${name}`).trim();
    const text = color("dimmed");
    const line = scheme === "dark" ? color("dark-5") : color("gray-2");
    chart?.setOption(
      {
        textStyle: { fontFamily: style.getPropertyValue("--mantine-font-family") },
        ...option,
        // Drawn, not HTML: its styles as text would be against the page's policy.
        tooltip: { trigger: "axis", confine: true, ...option.tooltip, renderMode: "richText" },
        xAxis: {
          axisLine: { lineStyle: { color: line } },
          ...option.xAxis,
          axisLabel: { color: text, ...option.xAxis.axisLabel },
        },
        yAxis: {
          splitLine: { lineStyle: { color: line } },
          ...option.yAxis,
          axisLabel: { color: text, ...option.yAxis.axisLabel },
        },
        legend: option.legend && { textStyle: { color: text }, ...option.legend },
      },
      { notMerge: true },
    );
  }, [chart, option, scheme]);

  return (
    <Box pos="relative" h={height} role="img" aria-label={label}>
      {chart === null && <Skeleton h={height} pos="absolute" />}
      <Box ref={place} h={height} w="100%" />
    </Box>
  );
}
