"""Frames of stacks in the shapes of each language, worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.issues.stacks import FRAMES_MAX, Frame, frames

PYTHON = """
Traceback (most recent call last):
  File "/srv/app/jobs/import.py", line 3, in run
    load(path)
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/releases/20261120/app/main.py", line 30, in <module>
    main()
  File "/srv/releases/20261120/app/rates/client.py", line 88, in lookup
    return get(url)
  File "/usr/lib/python3.11/site-packages/requests/api.py", line 73, in get
    raise Timeout(url)
requests.exceptions.Timeout: no answer in 8000 ms
"""
CHROME = """
TypeError: Cannot read properties of undefined (reading 'legs')
    at renderLegs (https://app.example.com/static/quotes/compare.8f3a2c1b.js:214:31)
    at async Object.update [as refresh] (webpack:///./src/quotes/compare.ts?3f2a:88:9)
    at new Cart (https://app.example.com/cart.js?v=12:1:2)
    at https://app.example.com/assets/index-DkJ3xZ_a.js:1:52
    at Array.map (<anonymous>)
    at async Promise.all (index 0)
    at eval (eval at run (https://app.example.com/a.js:1:2), <anonymous>:1:1)
    at process (node:internal/process/task_queues:95:5)
    at pick (/srv/node_modules/lodash/lodash.js:10:2)
"""
FIREFOX = """
renderLegs@https://app.example.com/static/quotes/compare.js:214:31
refresh/<@https://app.example.com/static/quotes/compare.js:90:3
@https://app.example.com/static/main.js:1:3
async*load@https://app.example.com/@acme/start.js:3:4
run@https://app.example.com/a.js line 3 > eval:1:7
"""
SAFARI = """
map@[native code]
global code@https://app.example.com/js/start.js:1:1
"""
UNITY = """
NullReferenceException: Object reference not set to an instance of an object
  at Game.Track.Spline.At (System.Int32 index) [0x00012] in /build/Assets/Spline.cs:61
  at Game.Boot.<Load>d__5.MoveNext () [0x00000] in <0000000000000000>:0
Track.Racer.Update (UnityEngine.Vector3 at) (at Assets/Scripts/Racer.cs:140)
UnityEngine.Debug:LogError(Object)
UnityEngine.Events.UnityEvent:Invoke() (at /unity/Events.cs:7)
Garage.Paint.Apply (Paint.cs:203)
"""
DOTNET = r"""
System.InvalidOperationException: Sequence contains no elements
   at System.Linq.Enumerable.First[TSource](IEnumerable`1 source)
   at Shop.Orders.OrderService.Find(String id) in C:\build\src\Orders\OrderService.cs:line 12
   at Shop.Cart.<>c__DisplayClass3_0.<Total>b__1(Item item)
"""
RUBY = """
app/models/user.rb:12:in `block (2 levels) in save': no name (ArgumentError)
\tfrom /usr/lib/ruby/gems/3.2.0/gems/activerecord-7.0/lib/active_record/base.rb:40:in `transaction'
\tfrom C:/shop/app/jobs/sync.rb:7:in 'Sync#perform'
"""
JAVA = """
java.lang.IllegalStateException: closed
\tat com.acme.shop.Cart$Line.total(Cart.java:61)
\tat com.acme.shop.Cart.lambda$sum$3(Cart.kt:64)
\tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
\tat app//com.acme.shop.Main.main(Unknown Source)
Caused by: java.io.IOException: gone
\t... 12 more
"""
GO = """
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
panic({0x1, 0x2})
\t/usr/local/go/src/runtime/panic.go:884 +0x213
github.com/acme/shop/server.(*Server).Handle(0xc000010250, {0x1, 0x2})
\t/src/shop/server/server.go:12 +0x1d
main.main()
\t/src/shop/main.go:8 +0x20
created by main.start in goroutine 5
\t/src/shop/start.go:3
"""
EXPECTED: dict[str, list[tuple[str, str, int | None, bool]]] = {
    PYTHON: [
        ("requests.api", "get", 73, False),
        ("rates.client", "lookup", 88, True),
        ("app.main", "<module>", 30, True),
    ],
    CHROME: [
        ("quotes/compare", "renderLegs", 214, True),
        ("quotes/compare", "Object.update", 88, True),
        ("cart", "Cart", 1, True),
        ("assets/index", "", 1, True),
        ("", "Array.map", None, False),
        ("", "Promise.all", None, False),
        ("", "eval", None, False),
        ("process/task_queues", "process", 95, False),
        ("lodash/lodash", "pick", 10, False),
    ],
    FIREFOX: [
        ("quotes/compare", "renderLegs", 214, True),
        ("quotes/compare", "refresh", 90, True),
        ("static/main", "", 1, True),
        ("@acme/start", "load", 3, True),
        ("a", "run", 7, True),
    ],
    SAFARI: [("", "map", None, False), ("js/start", "global code", 1, True)],
    UNITY: [
        ("Game.Track.Spline", "At", 61, True),
        ("Game.Boot", "Load", 0, True),
        ("Track.Racer", "Update", 140, True),
        ("UnityEngine.Events.UnityEvent", "Invoke", 7, False),
        ("Garage.Paint", "Apply", 203, True),
    ],
    DOTNET: [
        ("System.Linq.Enumerable", "First", None, False),
        ("Shop.Orders.OrderService", "Find", 12, True),
        ("Shop.Cart.<>c__DisplayClass3_0", "Total", None, True),
    ],
    RUBY: [
        ("models/user", "save", 12, True),
        ("active_record/base", "transaction", 40, False),
        ("jobs/sync", "Sync#perform", 7, True),
    ],
    JAVA: [
        ("com.acme.shop.Cart$Line", "total", 61, True),
        ("com.acme.shop.Cart", "lambda$sum$", 64, True),
        ("java.util.ArrayList", "forEach", 1511, False),
        ("com.acme.shop.Main", "main", None, True),
    ],
    GO: [
        ("panic", "panic", 884, False),
        ("shop/server", "(*Server).Handle", 12, True),
        ("main", "main", 8, True),
        ("main", "start", 3, True),
    ],
}


@pytest.mark.parametrize("stack", EXPECTED)
def test_stacks_of_each_language(stack: str) -> None:
    assert frames(stack) == [Frame(*expected) for expected in EXPECTED[stack]]


def test_a_python_stack_without_its_header_is_taken_as_it_stands() -> None:
    stack = '  File "rates/client.py", line 88, in lookup\n  File "rates/pool.py", line 41, in send'
    assert [frame.function for frame in frames(stack)] == ["lookup", "send"]


def test_what_follows_the_header_may_be_missing() -> None:
    stack = '  File "a.py", line 1, in old\n  File "b.py", line 2, in new\nTraceback (most recent call last)'
    assert [frame.function for frame in frames(stack)] == ["new", "old"]


def test_of_deep_stacks_the_newest_calls_are_read() -> None:
    """However short their lines are: what a client cuts to the same size holds more calls then."""
    calls = [f'  File "a.py", line 1, in f{depth}' for depth in range(700)]
    newest = [f"f{depth}" for depth in range(699, 599, -1)]
    assert [frame.function for frame in frames("\n".join(["Traceback (most recent call last):", *calls]))] == newest
    assert [frame.function for frame in frames("\n".join(reversed(calls)))] == newest


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "at", "at Foo.Bar", "write to bob@example.com:80 please", "a: b (c)", "x.go:3", "()", "at ()"],
)
def test_other_text_has_no_frames(text: str) -> None:
    assert frames(text) == []


PIECES = st.sampled_from(
    [
        *("at ", 'File "', '", line 1', ", in ", "(", ")", ":", "@", "12", "\n", "\t", " ", "x.js", ".cs", ".go", "/"),
        *("\\", "[native code]", "eval at ", " line ", "`", "'", ":in ", "<", ">", "$", "(most recent call last)"),
        *("://", "é", "\0"),
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
def test_any_text_gives_bounded_frames(text: str) -> None:
    found = frames(text)
    assert frames(text) == found
    assert len(found) <= FRAMES_MAX
    assert all(len(frame.module) <= 200 and len(frame.function) <= 200 for frame in found)


@pytest.mark.parametrize(
    "line",
    ["at a (b:1:2)", 'File "a.py", line 1, in b', "a@b:1:2", "a ", "<", "[", "-a", "((", "at ((", "-a1b2c3", "1: "],
)
def test_long_stacks_take_no_time(line: str) -> None:
    assert len(frames(f"{line}\n" * 50_000)) <= FRAMES_MAX
    assert len(frames(line * 50_000)) <= FRAMES_MAX
