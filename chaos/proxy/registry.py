"""The proxies of one process by name, and what may be asked of them: Toxiproxy's operations."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chaos.proxy.relay import Effect, Relay
from chaos.proxy.toxics import OF_TYPE, Attributes, Toxic


class Wanted(msgspec.Struct, frozen=True):
    """A proxy as a client asks for it; `listen` and `upstream` are `host:port`, port 0 lets the system choose."""

    name: str = ""
    listen: str = ""
    upstream: str = ""
    enabled: bool = True


class Change(msgspec.Struct, frozen=True):
    """What an update of a proxy changes; None is left alone."""

    listen: str | None = None
    upstream: str | None = None
    enabled: bool | None = None


class ToxicChange(msgspec.Struct, frozen=True):
    """What an update of a toxic changes."""

    toxicity: float | None = None
    attributes: dict[str, int] | None = None


class RefusedError(Exception):
    """`status` is that of the HTTP answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Proxy:
    """One proxy: where it listens, where it leads, and its toxics in the order in which they were added."""

    def __init__(self, wanted: Wanted, *, seed: int, mark: int) -> None:
        self.name, self.upstream, self.toxics = wanted.name, wanted.upstream, list[Toxic]()
        self._listen, self._seed, self._mark = wanted.listen, seed, mark
        self._relay = self._made()

    @property
    def enabled(self) -> bool:
        return self._relay.listening is not None

    @property
    def effect(self) -> Effect:
        return self._relay.effect

    @property
    def listen(self) -> str:
        """The address that it has, also while it is disabled."""
        return self._listen

    async def enable(self) -> None:
        """Listen. Raises RefusedError when it cannot."""
        if self.enabled:
            return
        try:
            await self._relay.listen(*_address(self._listen))
        except OSError as error:
            raise RefusedError(500, f"{self.name} cannot listen on {self._listen}: {error.strerror}") from error
        host, port = self._relay.listening or ("", 0)
        self._listen = f"{host}:{port}"

    async def disable(self) -> None:
        """Refuse connections and end the open ones."""
        await self._relay.stop()

    async def change(self, change: Change) -> None:
        """Move it, lead it elsewhere, enable or disable it: a moved proxy ends its connections."""
        moved = change.listen not in (None, self._listen) or change.upstream not in (None, self.upstream)
        enabled = self.enabled if change.enabled is None else change.enabled
        if moved:
            await self.disable()
            self._listen, self.upstream = change.listen or self._listen, change.upstream or self.upstream
            self._relay = self._made()
            self.spoiled()
        await (self.enable() if enabled else self.disable())

    def toxic(self, name: str) -> Toxic:
        """Raises RefusedError."""
        found = next((toxic for toxic in self.toxics if toxic.name == name), None)
        if found is None:
            raise RefusedError(404, "toxic not found")
        return found

    def add(self, wanted: Toxic) -> Toxic:
        """With its default name `<type>_<stream>` if it has none. Raises RefusedError."""
        toxic = msgspec.structs.replace(wanted, name=wanted.name or f"{wanted.type}_{wanted.stream}")
        if any(known.name == toxic.name for known in self.toxics):
            raise RefusedError(409, "toxic already exists")
        self.toxics.append(valid(toxic))
        self.spoiled()
        return toxic

    def update(self, name: str, change: ToxicChange) -> Toxic:
        """Raises RefusedError."""
        former = self.toxic(name)
        attributes = _merged(former, change.attributes or {})
        toxicity = former.toxicity if change.toxicity is None else change.toxicity
        changed = valid(msgspec.structs.replace(former, toxicity=toxicity, attributes=attributes))
        self.toxics[self.toxics.index(former)] = changed
        self.spoiled()
        return changed

    def remove(self, name: str) -> None:
        """Raises RefusedError."""
        self.toxics.remove(self.toxic(name))
        self.spoiled()

    def clear(self) -> None:
        """Without toxics from now on."""
        self.toxics.clear()
        self.spoiled()

    def spoiled(self) -> None:
        """Tell the relay its toxics."""
        self._relay.spoil(self.toxics)

    def _made(self) -> Relay:
        return Relay(_address(self.upstream), seed=self._seed, mark=self._mark)


class Registry:
    """`seed` decides which connections meet a toxic; `mark` is that of Relay."""

    def __init__(self, *, seed: int = 0, mark: int = 0) -> None:
        self.proxies: dict[str, Proxy] = {}
        self._seed, self._mark = seed, mark

    def proxy(self, name: str) -> Proxy:
        """Raises RefusedError."""
        if name not in self.proxies:
            raise RefusedError(404, "proxy not found")
        return self.proxies[name]

    async def create(self, wanted: Wanted) -> Proxy:
        """Raises RefusedError."""
        if not wanted.name or not wanted.upstream:
            raise RefusedError(400, "missing required field: name and upstream must be given")
        if wanted.name in self.proxies:
            raise RefusedError(409, "proxy already exists")
        proxy = Proxy(wanted, seed=self._seed, mark=self._mark)
        if wanted.enabled:
            await proxy.enable()
        self.proxies[wanted.name] = proxy
        return proxy

    async def populate(self, wanted: Iterable[Wanted]) -> list[Proxy]:
        """Each of them as it is asked for; one that is there with the same addresses stays."""
        made: list[Proxy] = []
        for each in wanted:
            known = self.proxies.get(each.name)
            if known is None:
                made.append(await self.create(each))
            else:
                await known.change(Change(each.listen, each.upstream, each.enabled))
                made.append(known)
        return made

    async def delete(self, name: str) -> None:
        """Raises RefusedError."""
        await self.proxy(name).disable()
        del self.proxies[name]

    async def reset(self) -> None:
        """All enabled, none with toxics."""
        for proxy in self.proxies.values():
            proxy.clear()
            await proxy.enable()


def valid(toxic: Toxic) -> Toxic:
    """The toxic. Raises RefusedError when it has attributes that its type has not, or values that nothing can have."""
    values = msgspec.to_builtins(toxic.attributes)
    if strange := [name for name, value in values.items() if value and name not in OF_TYPE[toxic.type]]:
        raise RefusedError(400, f"a {toxic.type} toxic has no {', '.join(strange)}; it has {', '.join(OF_TYPE[toxic.type])}")
    if any(value < 0 for value in values.values()) or not 0 <= toxic.toxicity <= 1:
        raise RefusedError(400, "attributes are 0 or more, toxicity is between 0 and 1")
    return toxic


def _merged(toxic: Toxic, changed: dict[str, int]) -> Attributes:
    try:
        return msgspec.convert(msgspec.to_builtins(toxic.attributes) | changed, Attributes)
    except msgspec.ValidationError as error:
        raise RefusedError(400, str(error)) from error


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise RefusedError(400, f"{text!r} is no address: it has to be host:port")
    return host or "127.0.0.1", int(port)
