"""`edge-agent contract`: what passes between a terminal and the central, for whoever writes one."""

import click

from edge_agent.contract import documents


@click.command()
@click.option(
    "--schema",
    type=click.Choice(documents.SCHEMAS),
    help="Print the JSON Schema of one message instead.",
)
@click.option("--dictionary", is_flag=True, help="Print the preset dictionary of batches instead.")
@click.option("--bundle", is_flag=True, help="Print what is carried by hand instead.")
def contract(schema: str | None, *, dictionary: bool, bundle: bool) -> None:
    """Print the contract as an AsyncAPI 3 document."""
    if dictionary or bundle:
        click.echo(documents.dictionary() if dictionary else documents.bundle(), nl=False)
        return
    text = documents.schema_text(schema) if schema else documents.asyncapi()
    click.echo(text, nl=not text.endswith("\n"))
