/** The sandbox inbox: what sandbox domains sent, as a mail program shows it. On a phone an email is a page of its own. */
import { Box, Button, Paper } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconInbox, IconMail, IconTrash } from "@tabler/icons-react";
import { Link, useSearchParams } from "react-router";
import { body, v1 } from "@/api/client";
import { useChange, useList } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { useFilters } from "@/components/filters";
import { notifyDone } from "@/components/notify";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { TypedFilter } from "@/components/typed-filter";
import { useMay } from "@/session/session";
import classes from "./inbox.module.css";
import { Letter } from "./letter";
import { Letters } from "./letters";

const FILTERS = ["search"] as const;
const SHORTEST = 2;
const EVERY = 4_000;

export default function Inbox() {
  const narrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  const [parameters, setParameters] = useSearchParams();
  const filters = useFilters(FILTERS);
  const search = filters.values.search.length < SHORTEST ? undefined : filters.values.search;
  const list = useList(
    ["inbox", { search }],
    (page) => body(v1.GET("/inbox", { params: { query: { page, search } } })),
    EVERY,
  );
  const chosen = parameters.get("email");
  const close = () =>
    setParameters((before) => {
      const after = new URLSearchParams(before);
      after.delete("email");
      return after;
    });
  const nothing = list.data?.data.length === 0 && list.page === 1 && !filters.any;
  if (narrow && chosen) return <Letter emailId={chosen} close={close} alone />;
  return (
    <Page
      title="Sandbox inbox"
      about="What your applications send from a sandbox domain lands here. Nothing of it leaves this machine."
      actions={!nothing && <EmptyInbox search={search} close={close} />}
    >
      {list.error && !list.data && <Problem error={list.error} retry={() => list.refetch()} />}
      {nothing ? (
        <Paper>
          <Nothing />
        </Paper>
      ) : (
        <Paper className={classes.inbox}>
          <Box className={classes.list}>
            <Box p="sm">
              <TypedFilter
                aria-label="Search the inbox"
                placeholder="Subject, sender or recipient"
                value={filters.values.search}
                set={(text) => filters.set({ search: text })}
              />
            </Box>
            <Letters list={list} chosen={chosen} />
          </Box>
          {!narrow && (
            <Box className={classes.pane}>
              {chosen ? (
                <Letter emailId={chosen} close={close} key={chosen} />
              ) : (
                <Empty title="Choose an email" icon={IconMail} />
              )}
            </Box>
          )}
        </Paper>
      )}
    </Page>
  );
}

function Nothing() {
  const may = useMay("control-sendings");
  return (
    <Empty
      title="Nothing was sent to the sandbox yet"
      icon={IconInbox}
      action={
        may && (
          <Button component={Link} to="/compose">
            Write a test
          </Button>
        )
      }
    >
      Send from a sandbox domain, over SMTP or the API: whatever the recipient, the email stays here to be
      looked at.
    </Empty>
  );
}

function EmptyInbox({ search, close }: { search: string | undefined; close: () => void }) {
  const may = useMay("control-sendings");
  const empty = useChange(() => body(v1.DELETE("/inbox", { params: { query: { search } } })), {
    refresh: [["inbox"]],
    done: () => {
      close();
      notifyDone("Deleted.");
    },
  });
  if (!may) return null;
  const ask = () =>
    confirm({
      title: search ? `Delete all that fits “${search}”?` : "Empty the sandbox inbox?",
      children: "The emails stay in the activity; their content is deleted.",
      confirm: search ? "Delete what fits" : "Empty the inbox",
      onConfirm: () => empty.mutate(undefined),
    });
  return (
    <Button variant="default" leftSection={<IconTrash size={16} />} onClick={ask} loading={empty.isPending}>
      {search ? "Delete what fits" : "Empty the inbox"}
    </Button>
  );
}
