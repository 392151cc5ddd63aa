import { Group, Text } from "@mantine/core";
import { Link } from "react-router";

export function Brand() {
  return (
    <Group
      component={Link}
      gap={8}
      wrap="nowrap"
      td="none"
      c="inherit"
      renderRoot={(props) => <Link to="/" {...props} />}
    >
      <img src="/icon.svg" alt="" width={26} height={26} />
      <Text fw={650} size="lg" lh={1}>
        Postroom
      </Text>
    </Group>
  );
}
