/* Keeps static files, and a page for when there is no line. Never a page of the shop, nor anything that is sent.
   What it may keep, SHOP, is written before this by views/everywhere.py. */
"use strict";
const NAME = "dyqani-" + SHOP.version;
const FILES = new Set(SHOP.files);
const OFFLINE = Object.values(SHOP.offline);

/* As for everybody: who is here, the shop is not told. */
const anonymous = (address) => new Request(address, { credentials: "omit", cache: "no-cache" });

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll([...OFFLINE.map(anonymous), ...SHOP.first])));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("dyqani-") && name !== NAME) await caches.delete(name);
    }
    /* The page is asked for while the worker still wakes up. */
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { origin, pathname, search } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(visit(event, pathname));
  else if (FILES.has(pathname + search)) event.respondWith(file(event, pathname + search));
});

async function visit(event, pathname) {
  try {
    return (await event.preloadResponse) || (await fetch(event.request));
  } catch (error) {
    const kept = await caches.match(SHOP.offline[pathname.split("/")[1]] || OFFLINE[0], { cacheName: NAME });
    if (!kept) throw error;
    return new Response(kept.body, { status: 503, headers: kept.headers });
  }
}

async function file(event, address) {
  const cache = await caches.open(NAME);
  const kept = await cache.match(address);
  if (kept) return kept;
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(cache.put(address, answer.clone()));
  return answer;
}
