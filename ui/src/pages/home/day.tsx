/** The last 24 hours as bars. */
import { Anchor, Text } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "react-router";
import { Chart } from "@/components/chart";
import type { ChartOption } from "@/components/echarts";
import { Section } from "@/components/section";
import { count, short } from "@/lib/numbers";
import type { Home } from "./home";

type Counts = NonNullable<Home["today"]>;

const SERIES = [
  { key: "delivered", name: "Delivered", color: "#2b9d8b" },
  { key: "deferred", name: "Deferred", color: "#e8a33d" },
  { key: "bounced", name: "Bounced", color: "#d9534a" },
] as const;

export function Day({ hours, zone }: { hours: Counts[]; zone: string }) {
  const option = useMemo(() => drawn(hours, zone), [hours, zone]);
  const sums = SERIES.map(({ key, name }) => `${name.toLowerCase()} ${count(sum(hours, key))}`);
  const nothing = hours.every((hour) => SERIES.every(({ key }) => hour[key] === 0));
  return (
    <Section title="Last 24 hours" about={zone.replaceAll("_", " ")}>
      {nothing ? (
        <Text size="sm" c="dimmed" py="xl" ta="center">
          No mail went out in the last 24 hours. How to send: the{" "}
          <Anchor href="/v1/reference" inherit underline="always">
            API reference
          </Anchor>
          , or SMTP with a user of one of your{" "}
          <Anchor component={Link} to="/domains" inherit underline="always">
            domains
          </Anchor>
          .
        </Text>
      ) : (
        <Chart option={option} label={`The last 24 hours: ${sums.join(", ")}.`} />
      )}
    </Section>
  );
}

function sum(hours: Counts[], key: (typeof SERIES)[number]["key"]): number {
  return hours.reduce((all, hour) => all + hour[key], 0);
}

function drawn(hours: Counts[], zone: string): ChartOption {
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  return {
    animation: false,
    grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0, itemWidth: 10, itemHeight: 10, icon: "circle" },
    xAxis: {
      type: "category",
      data: hours.map((hour) => clock.format(Date.parse(hour.begins_at))),
      axisTick: { show: false },
    },
    yAxis: { type: "value", minInterval: 1, axisLabel: { formatter: (value: number) => short(value) } },
    series: SERIES.map(({ key, name, color }) => ({
      type: "bar",
      stack: "all",
      name,
      color,
      barMaxWidth: 18,
      data: hours.map((hour) => hour[key]),
    })),
  };
}
