import type { components } from "@/generated/console";

/** What `GET /console/home` answers. */
export type Home = components["schemas"]["HomeOut"];
