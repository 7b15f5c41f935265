"""A request as code: a shell line, and programs that need no more than their language's standard library."""

import shlex
from collections.abc import Callable, Mapping
from textwrap import indent

import msgspec

from saastracker.snippets.calls import Sent


def curl(sent: Sent, line: str = "\n", argument: str = " \\\n  ") -> str:
    """For a shell; `line` stands between commands, `argument` between the arguments of one."""
    body = shlex.quote(_compact(sent.body))
    given = [f"curl -i '{sent.url}'", *(f"-H '{name}: {value}'" for name, value in sent.headers.items())]
    if sent.secret is None:
        return argument.join((*given, f"-d {body}"))
    sign = f"""$(printf %s "$BODY" | openssl dgst -sha256 -hmac '{sent.secret}' -r | cut -d' ' -f1)"""
    return f"BODY={body}{line}" + argument.join((*given, f'-H "x-signature: {sign}"', '-d "$BODY"'))


def curl_line(sent: Sent) -> str:
    """The same on one line."""
    return curl(sent, "; ", " ")


def python(sent: Sent) -> str:
    modules = ["json", "urllib.request", *(["hashlib", "hmac"] if sent.secret else [])]
    sign = ""
    if sent.secret is not None:
        sign = f"signature = hmac.new({_text(sent.secret)}.encode(), body, hashlib.sha256).hexdigest()\n"
    return f"""{"".join(f"import {module}{chr(10)}" for module in sorted(modules))}
body = json.dumps({_spread(sent.body, 4)}).encode()
{sign}request = urllib.request.Request(
    {_text(sent.url)},
    data=body,
    headers={_headers(sent, ": ", inside=4)},
)
with urllib.request.urlopen(request) as answer:
    print(answer.status, answer.read().decode())"""


def node(sent: Sent) -> str:
    begin, sign = "", ""
    if sent.secret is not None:
        begin = 'import { createHmac } from "node:crypto";\n\n'
        sign = f'const signature = createHmac("sha256", {_text(sent.secret)}).update(body).digest("hex");\n'
    return f"""// send.mjs, for: node send.mjs
{begin}const body = JSON.stringify({_spread(sent.body)});
{sign}const answer = await fetch({_text(sent.url)}, {{
  method: "POST",
  headers: {_headers(sent, ": ", inside=2)},
  body,
}});
console.log(answer.status, await answer.text());"""


def ruby(sent: Sent) -> str:
    modules = ["json", "net/http", *(["openssl"] if sent.secret else [])]
    sign = ""
    if sent.secret is not None:
        sign = f'signature = OpenSSL::HMAC.hexdigest("SHA256", {_text(sent.secret)}, body)\n'
    return f"""{"".join(f'require "{module}"{chr(10)}' for module in modules)}
body = JSON.generate({_spread(sent.body)})
{sign}answer = Net::HTTP.post(
  URI({_text(sent.url)}),
  body,
  {_headers(sent, " => ", inside=2)}
)
puts answer.code, answer.body"""


def browser(url: str, body: str) -> str:
    """A tag for pages; `body` has the fields of an object in JavaScript, in which `visitor` stands for who looks."""
    return f"""<script>
  const visitor = (localStorage.visitor ||= Math.random().toString(36).slice(2) + Date.now().toString(36));
  fetch({_text(url)}, {{
    method: "POST",
    keepalive: true,
    body: JSON.stringify({{
{indent(body, " " * 6)}
    }}),
  }});
</script>"""


LANGUAGES: Mapping[str, tuple[str, Callable[[Sent], str]]] = {
    "curl": ("cURL", curl),
    "python": ("Python", python),
    "node": ("Node.js", node),
    "ruby": ("Ruby", ruby),
}


def _headers(sent: Sent, to: str, inside: int) -> str:
    given = {"Content-Type": "application/json", **sent.headers}
    lines = [f"{_text(name)}{to}{_text(value)}," for name, value in given.items()]
    if sent.secret is not None:
        lines.append(f'"x-signature"{to}signature,')
    between, end = "\n" + " " * (2 * inside), "\n" + " " * inside
    return "{" + between + between.join(lines) + end + "}"


def _compact(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _spread(value: object, inside: int = 2) -> str:
    """As JSON over several lines, which Python, JavaScript and Ruby read alike as long as there is no null or bool."""
    return msgspec.json.format(msgspec.json.encode(value), indent=inside).decode()


def _text(value: str) -> str:
    """A text in double quotes, as all of them read it."""
    return _compact(value)
