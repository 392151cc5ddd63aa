/** Styles that libraries make in the browser need the page's nonce: its policy allows no others. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";

// Where the library behind modal windows looks for it (the package get-nonce).
Object.assign(globalThis, { __webpack_nonce__: nonce });
