/** Every email that was accepted, the newest first, live. */
import { Button, Center, Paper } from "@mantine/core";
import { IconListSearch } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "@/components/empty";
import { useFilters } from "@/components/filters";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { Rows } from "@/components/table";
import { useTimeZone } from "@/components/time";
import { useMay } from "@/session/session";
import { COLUMNS } from "./columns";
import { EmailFilters } from "./filters";
import { useEmails } from "./list";
import { FILTERS, queryOf } from "./search";
import { ActivityTabs } from "./tabs";

export default function Activity() {
  return (
    <Page
      title="Activity"
      about="Every email with its whole way to the recipient. New ones appear by themselves."
    >
      <ActivityTabs here="/activity" />
      <Emails />
    </Page>
  );
}

function Emails() {
  const filters = useFilters(FILTERS);
  const zone = useTimeZone() || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const list = useEmails(queryOf(filters.values, zone));
  const rows = list.data?.pages.flatMap((page) => page.data);
  const nothing = rows?.length === 0 && !list.hasNextPage;
  return (
    <>
      {(filters.any || !nothing) && <EmailFilters {...filters} />}
      {list.error && !rows ? (
        <Problem error={list.error} retry={() => list.refetch()} />
      ) : (
        <Paper style={{ overflow: "hidden" }}>
          {nothing ? (
            <Nothing filtered={filters.any} clear={filters.clear} />
          ) : (
            <Rows
              label="Emails"
              rows={rows}
              rowKey={(email) => email.id}
              columns={COLUMNS}
              faded={list.isPlaceholderData}
            />
          )}
          {list.hasNextPage && (
            <Center p="sm">
              <Button
                variant="default"
                size="xs"
                loading={list.isFetchingNextPage}
                onClick={() => list.fetchNextPage()}
              >
                Show older ones
              </Button>
            </Center>
          )}
        </Paper>
      )}
    </>
  );
}

function Nothing({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  const may = useMay("control-sendings");
  if (filtered) {
    return (
      <Empty
        title="No email fits"
        icon={IconListSearch}
        action={
          <Button variant="default" onClick={clear}>
            Clear the filters
          </Button>
        }
      >
        Perhaps it was refused: that is the other tab. Or it is older than what is kept.
      </Empty>
    );
  }
  return (
    <Empty
      title="No emails yet"
      icon={IconListSearch}
      action={
        may && (
          <Button component={Link} to="/compose">
            Write a test
          </Button>
        )
      }
    >
      Each email appears here the moment it is accepted, with every step of its delivery.
    </Empty>
  );
}
