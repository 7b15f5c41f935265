"""The addresses of all forms of definitions."""

from saastracker.web.forms import looking, saving

ROUTES = (
    looking.kinds,
    looking.listing,
    looking.new,
    looking.opened,
    saving.act,
    saving.create,
    saving.change,
)
