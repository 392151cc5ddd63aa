/** What became of the domain's mail over some days. */
import { SegmentedControl, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { data, v1 } from "@/api/client";
import { Chart } from "@/components/chart";
import type { ChartOption } from "@/components/echarts";
import { NumberCard } from "@/components/number-card";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import { count, share, short } from "@/lib/numbers";
import type { Domain } from "./domain";

const PERIODS = ["7", "30", "90"];
const DAY = 86_400; // seconds

interface Counted {
  /** Milliseconds. */
  day: number;
  processed: number;
  delivered: number;
  rejected: number;
}

const SERIES = [
  { key: "delivered", name: "Delivered", color: "#2b9d8b" },
  { key: "rejected", name: "Rejected", color: "#d9534a" },
] as const;

export function Statistics({ domain }: { domain: Domain }) {
  const [parameters, setParameters] = useSearchParams();
  const wanted = parameters.get("days") ?? "30";
  const period = PERIODS.includes(wanted) ? wanted : "30";
  const days = useDays(domain.id, Number(period));
  const choose = (days: string) => setParameters({ tab: "statistics", days }, { replace: true });
  return (
    <Section
      title="Statistics"
      about="By whole days in UTC, as long as activity is kept."
      actions={
        <SegmentedControl
          aria-label="Period"
          size="xs"
          value={period}
          onChange={choose}
          data={PERIODS.map((value) => ({ value, label: `${value} days` }))}
        />
      }
    >
      {days.error && <Problem error={days.error} retry={() => days.refetch()} />}
      {days.data ? <Numbers days={days.data} /> : !days.error && <Skeleton h={340} />}
    </Section>
  );
}

function useDays(domain_id: string, period: number) {
  return useQuery({
    queryKey: ["statistics", domain_id, period],
    queryFn: async (): Promise<Counted[]> => {
      const now = Math.floor(Date.now() / 1000);
      const query = {
        domain_id,
        date_from: String(now - (period - 1) * DAY),
        date_to: String(now),
        "event[]": [
          "queued" as const,
          "delivered" as const,
          "soft_bounced" as const,
          "hard_bounced" as const,
        ],
      };
      const { stats } = await data(v1.GET("/analytics/date", { params: { query } }));
      return stats.map((one) => {
        const number = (event: string) => Number(one[event] ?? 0);
        return {
          day: Number(one.date) * 1000,
          processed: number("queued"),
          delivered: number("delivered"),
          rejected: number("soft_bounced") + number("hard_bounced"),
        };
      });
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

function Numbers({ days }: { days: Counted[] }) {
  const sum = (key: "processed" | "delivered" | "rejected") => days.reduce((all, day) => all + day[key], 0);
  const [processed, delivered, rejected] = [sum("processed"), sum("delivered"), sum("rejected")];
  const option = useMemo(() => drawn(days), [days]);
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="md">
        <NumberCard label="Processed" value={processed} about="emails accepted" />
        <NumberCard
          label="Delivered"
          value={delivered}
          about={processed ? share(delivered, processed) : "so far"}
        />
        <NumberCard
          label="Rejected"
          value={rejected}
          about={processed ? share(rejected, processed) : "bounced"}
        />
      </SimpleGrid>
      {processed + delivered + rejected === 0 ? (
        <Text size="sm" c="dimmed" py="xl" ta="center">
          No mail in this time. Under SMTP and API tokens stands how to send.
        </Text>
      ) : (
        <Chart
          option={option}
          label={`By day: delivered ${count(delivered)}, rejected ${count(rejected)}.`}
        />
      )}
    </Stack>
  );
}

function drawn(days: Counted[]): ChartOption {
  const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  return {
    animation: false,
    grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0, itemWidth: 10, itemHeight: 10, icon: "circle" },
    xAxis: { type: "category", data: days.map(({ day }) => date.format(day)), axisTick: { show: false } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { formatter: (value: number) => short(value) } },
    series: SERIES.map(({ key, name, color }) => ({
      type: "bar",
      stack: "all",
      name,
      color,
      barMaxWidth: 18,
      data: days.map((day) => day[key]),
    })),
  };
}
