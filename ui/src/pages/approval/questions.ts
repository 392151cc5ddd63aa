/** What the questionnaire asks, in the words of the form; operators read the answers under the same words. */
export const QUESTIONS: Record<string, { label: string; about?: string }> = {
  company: { label: "Company or person" },
  website: { label: "Website" },
  content: { label: "What do you send?", about: "Order confirmations, password resets, a newsletter ..." },
  daily_volume: { label: "Emails a day", about: "About how many at most." },
  consent: { label: "How have recipients agreed to it?", about: "Where they sign up, and how they leave." },
  contact: { label: "Whom to ask", about: "An email address for questions about your mail." },
};

/** The same for a larger quota. */
export const QUOTA_QUESTIONS: Record<string, { label: string; about?: string }> = {
  daily_quota: { label: "Emails a day" },
  why: { label: "What for?" },
};
