"""The dashboard as files: what `make ui` built from `ui/` into `dist` beside this page, served below /.

The rules: files below /assets have a hash in their names and are kept by browsers for a year; every other address that a
browser opens as a page is a page of the dashboard, so it gets `index.html`, fresh each time; what neither is gets 404.
The paths of the API, the console, `health`, `metrics` and the public pages come first and stay theirs.

Nothing from elsewhere runs or is shown: the policy of `headers` allows our own scripts, and styles of our own or with
the page's nonce. A new nonce is written into each `index.html`, for the style elements that Mantine makes in the browser.
Mail of strangers is never part of these pages: it is shown in frames that have a policy of their own (U02).

Without a built dashboard Postroom runs all the same, and `missing` is a page that says how to get it.

Files: `files` (what there is, and sending it), `headers` (the policy), `missing`.
"""
