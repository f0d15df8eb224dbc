"""The command line: options, console output, --dry-run, --check, --describe, --resume and exit codes."""
