"""`rubato drill`: put the promises to the test on a stack of this machine, and print what was measured as JSON."""

import typer

from cli.drills import neighbours, punctuality, reaction, rhythm, steering, volume

app = typer.Typer(help="Measure a local stack: is each run on time, once, and never lost?", no_args_is_help=True)
app.command("interval")(rhythm.interval)
app.command("herd")(rhythm.herd)
app.command("one-shots")(steering.one_shots)
app.command("tempo")(steering.tempo)
app.command("backoff")(steering.backoff)
app.command("punctuality")(punctuality.punctuality)
app.command("flood")(volume.flood)
app.command("steady")(volume.steady)
app.command("reaction")(reaction.reaction)
app.command("slow")(neighbours.slow)
app.command("dead")(neighbours.dead)
