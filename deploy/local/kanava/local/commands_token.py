"""`./kanava token --as PERSONA`: a token of the local issuer, for trying the API by hand."""

from typing import Annotated

import typer

from kanava.common.auth import Caller
from kanava.common.ids import valid_area
from kanava.local.issuer import PERSONAS, persona_claims, sign
from kanava.local.problems import PlatformProblem
from kanava.local.profile import profile

app = typer.Typer(add_completion=False)


@app.command(epilog="Personas: " + ", ".join(PERSONAS))
def token(
    persona: Annotated[str, typer.Option("--as", help="Who to be.")],
    resident: Annotated[str | None, typer.Option(help="Be this resident (pseudonymous id).")] = None,
    producer: Annotated[list[str], typer.Option(help="Act for this producer (id); may be repeated.")] = [],  # noqa: B006
    area: Annotated[str | None, typer.Option(help="Belong to this area, as 03.")] = None,
    name: Annotated[
        str, typer.Option("--profile", help="Whose platform the token is for: up or demo.")
    ] = "up",
) -> None:
    """Print a token that the services of the profile accept for eight hours."""
    claims = persona_claims(persona)
    claims |= {"resident": resident} if resident else {}
    claims |= {"producers": producer} if producer else {}
    claims |= {"area": area} if area else {}
    try:
        Caller.of_claims(claims)
        valid_area(claims.get("area") or "01")
    except ValueError as error:
        raise PlatformProblem(f"No service would take this token: {error}.") from None
    print(sign(profile(name), claims))
