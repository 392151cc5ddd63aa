"""The command line: everything an operator needs, one file per noun.

`postroom serve` runs the relay; every other command opens the same database beside it, so commands work while it
runs. A running relay is found through `serve.json` in the data directory.

Rules:
- A command is a function `command(context, arguments)` registered by `command.command`, which adds the options
  every command has (`--data`, `--config`, `--json`, `-v`) and turns errors into exit statuses.
- A command asks `tenancy` or `store` and hands plain values to `context.out`: tables and panels for people, the same
  values as JSON with `--json`. Results go to standard output, everything else (errors, progress, logs) to standard
  error. Times are UTC.
- A secret is printed by the command that made it, once, and by no listing.
- Exit status: 0 done, 1 failed, 2 wrong usage or a setting that is refused; `send` adds 3, not final yet.
- Only `serve` and `migrate` bring the database to a new version; other commands say that it has to be done.

Files: `main` (all commands), `command` (how each is registered), `context` (what each is given), `output` (how it
prints), `password` (how one is read); a file for each noun; `database` (migrate); `serve`, with `running` (serve.json),
`first_run` and `card`; `send`, with `relay` (talking to a relay as any client does); `doctor`, with `checks` and
`certificate`.
"""
