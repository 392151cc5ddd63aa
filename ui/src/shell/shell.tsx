/** What is around every page: the bar at the top, the navigation, the search. On a phone the navigation is a drawer. */
import { AppShell, Box, Burger, Group, Skeleton, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, useEffect } from "react";
import { Outlet, useLocation } from "react-router";
import { AccountMenu } from "@/shell/account-menu";
import { Brand } from "@/shell/brand";
import { Navigation } from "@/shell/navigation";
import { Search, SearchButton } from "@/shell/search";
import { UserMenu } from "@/shell/user-menu";
import classes from "./shell.module.css";

export function Shell() {
  const [opened, drawer] = useDisclosure();
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: it closes whenever another page is open
  useEffect(() => drawer.close(), [pathname]);

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 240, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding={{ base: "md", sm: "xl" }}
    >
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={drawer.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={opened ? "Close the navigation" : "Open the navigation"}
              aria-expanded={opened}
            />
            <Brand />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <SearchButton />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} p="sm" component="nav" aria-label="Pages">
        <AppShell.Section mb="sm">
          <AccountMenu />
        </AppShell.Section>
        <AppShell.Section grow className={classes.scroll}>
          <Navigation />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <Box maw={1120} mx="auto">
          <Suspense fallback={<Waiting />}>
            <Outlet />
          </Suspense>
        </Box>
      </AppShell.Main>
      <Search />
    </AppShell>
  );
}

/** In the shape of a page, so that nothing jumps when it comes. */
function Waiting() {
  return (
    <Stack gap="lg" aria-busy="true" aria-label="Loading">
      <Skeleton h={32} w={200} />
      <Skeleton h={220} radius="lg" />
    </Stack>
  );
}
