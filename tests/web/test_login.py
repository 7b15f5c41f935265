import pytest

from saastracker.web.answers import local_path

from .conftest import BASE, Running


def test_pages_lead_to_the_form_and_twins_say_401(running: Running) -> None:
    answer = running.get("/p/shop/stream?type=error")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fp%2Fshop%2Fstream%3Ftype%3Derror"
    for path in ("/p/shop/stream.json", "/p/shop/stream.csv", "/p/shop/stream.events", "/p/nothing/stream.json"):
        answer = running.get(path, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_signs_in_and_out(running: Running) -> None:
    token = running.token()
    answer = running.request("POST", "/login", data={"token": f" {token} ", "next": "/p/shop/stream?type=error"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/shop/stream?type=error")
    set_cookie = answer.headers["set-cookie"].lower()
    assert all(part in set_cookie for part in ("httponly", "samesite=lax", "secure", "path=/"))
    cookies = {"saastracker_token": token}
    assert running.get("/p/shop/stream", cookies=cookies).status_code == 200
    assert running.get("/p/shop/stream.json", cookies=cookies).status_code == 200
    out = running.request("POST", "/logout", cookies=cookies)
    assert out.headers["location"] == "/login"
    assert "max-age=0" in out.headers["set-cookie"].lower()


def test_a_wrong_token_is_told_so_and_not_shown_again(running: Running) -> None:
    answer = running.request("POST", "/login", data={"token": "st_wrong<b>", "next": "/x"})
    assert answer.status_code == 401
    assert "No live token reads like this" in answer.text
    assert "st_wrong" not in answer.text
    assert "set-cookie" not in answer.headers


def test_ten_wrong_tokens_from_one_address_are_enough(running: Running) -> None:
    for _ in range(10):
        assert running.request("POST", "/login", data={"token": "x"}).status_code == 401
    eleventh = running.request("POST", "/login", data={"token": "x"})
    assert (eleventh.status_code, eleventh.headers["retry-after"]) == (429, "300")
    elsewhere = running.request("POST", "/login", data={"token": "x"}, client=("198.51.100.1", 1))
    assert elsewhere.status_code == 401
    right = running.request("POST", "/login", data={"token": running.token()})
    assert right.status_code == 303  # others may share the address of who tried: that of a proxy


@pytest.mark.parametrize("path", ["/login", "/logout", "/theme"])
def test_a_form_of_too_many_fields_is_refused(running: Running, path: str) -> None:
    answer = running.request("POST", path, data={f"field{number}": "x" for number in range(21)})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/login", "/logout", "/theme"])
def test_forms_of_other_sites_are_refused(running: Running, path: str) -> None:
    for origin in ("https://evil.example", "null", "https://[", f"https://evil.example/{BASE}"):
        answer = running.request("POST", path, data={"token": running.token()}, headers={"origin": origin})
        assert answer.status_code == 403
    assert running.request("POST", path, data={"token": "x"}, headers={"origin": BASE}).status_code != 403


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil",
        "",
        "javascript:x",
        "/\t/evil",
        "/\r\nX: y",
        "/\N{GRINNING FACE}",
    ],
)
def test_after_signing_in_one_stays_on_this_server(text: str) -> None:
    assert local_path(text) == "/"
    assert local_path("/p/shop/stream?name=a%2F") == "/p/shop/stream?name=a%2F"


def test_the_theme_is_kept_in_a_cookie(running: Running) -> None:
    answer = running.request("POST", "/theme", data={"theme": "dark", "next": "/login"})
    assert answer.headers["location"] == "/login"
    assert "saastracker_theme=dark" in answer.headers["set-cookie"]
    assert '<html lang="en" data-theme="dark">' in running.get("/login", cookies={"saastracker_theme": "dark"}).text
    assert '<html lang="en">' in running.get("/login", cookies={"saastracker_theme": "odd"}).text


def test_a_form_that_is_too_long_is_refused(running: Running) -> None:
    answer = running.request("POST", "/login", data={"token": "x" * 8200}, headers={"accept": "text/html"})
    assert answer.status_code == 413
    assert "This form holds more than 8 kB." in answer.text
