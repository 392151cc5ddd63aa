import { useQuery } from "@tanstack/react-query";
import { console, data } from "@/api/client";
import type { components } from "@/generated/console";

type Schemas = components["schemas"];
export type Approval = Schemas["ApprovalOut"];
export type Quota = Schemas["postroom__web__console__approvals__QuotaOut"];
export type Questionnaire = Schemas["ApprovalIn"];

export function useApproval() {
  return useQuery({ queryKey: ["approval"], queryFn: () => data(console.GET("/approval")) });
}

export function useQuota() {
  return useQuery({ queryKey: ["quota"], queryFn: () => data(console.GET("/quota")) });
}
