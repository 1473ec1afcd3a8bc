"""The command `edge-agent`: one file per command; the only place with print and exit codes."""

import os
import sys
import traceback

import click

from edge_agent import __version__
from edge_agent.errors import EdgeAgentError

#: Loaded when called for, so that the agent on the wall does not carry the central in its memory.
_COMMANDS = {
    "run": "edge_agent.cli.run:run",
    "status": "edge_agent.cli.status:status",
    "enrol": "edge_agent.cli.enrol:enrol",
    "probe": "edge_agent.cli.probe:probe",
    "provision": "edge_agent.cli.provision:provision",
    "site": "edge_agent.cli.site:site",
    "roster": "edge_agent.cli.roster:roster",
    "export": "edge_agent.cli.export:export",
    "contract": "edge_agent.cli.contract:contract",
    "central": "edge_agent.cli.central:central",
    "sim": "edge_agent.cli.sim:sim",
}
#: EX_SOFTWARE of sysexits.h.
_OUR_FAULT = 70


class _Lazy(click.Group):
    """A group whose commands are imported only when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(__import__(module, fromlist=[name]), name)
        return command


@click.group(cls=_Lazy)
@click.version_option(__version__, prog_name="edge-agent")
def cli() -> None:
    """Attendance that can be believed, from places where nothing works."""


def main() -> None:
    """Run the command line; the only place that turns errors into text and exit codes."""
    try:
        # Not standalone, click gives the code of an Exit back instead of ending with it.
        sys.exit(cli.main(prog_name="edge-agent", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except EdgeAgentError as error:
        print(f"edge-agent: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to say
        sys.exit(1)
    except KeyboardInterrupt:  # a second one, while the first was being answered
        sys.exit(130)
    except OSError as error:
        print(f"edge-agent: {_refused(error)}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  the main thread's outermost frame
        _our_fault(error)


def _refused(error: OSError) -> str:
    """What the system refused, where no room has said it: a path that was looked at, or output."""
    cause = error.strerror or str(error)
    if error.filename is None:
        return f"write the output: {cause}; give it room or another place"
    denied = isinstance(error, PermissionError)
    hint = "run it with sudo, or name another place" if denied else "look at what was named"
    return f"use {error.filename}: {cause}; {hint}"


def _our_fault(error: Exception) -> None:
    if os.environ.get("EDGE_AGENT_DEBUG"):
        traceback.print_exc()
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(last.filename)}:{last.lineno}"  # noqa: PTH119  text, not a path
    print(
        f"edge-agent: unexpected {type(error).__name__} at {where}: {error}; this is a fault of the"
        " program: please report this line (EDGE_AGENT_DEBUG=1 shows more)",
        file=sys.stderr,
    )
    sys.exit(_OUR_FAULT)
