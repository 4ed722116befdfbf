import { expect, test } from "vitest";
import { appUrls, urlOf } from "./addresses.ts";

test.each([
  ["http://localhost:8080", "http://shop.localhost:8080"],
  ["http://localhost:0", "http://shop.localhost:41433"],
  ["https://apps.acme.lan", "https://shop.localhost"],
])("apps below %s are shown as %s", (appsUrl, shown) => {
  expect(appUrls({ appsUrl }, 41433)("shop.localhost")).toBe(shown);
});

test.each([
  ["0.0.0.0", "http://127.0.0.1:1"],
  ["::", "http://[::1]:1"],
  ["::1", "http://[::1]:1"],
  ["deploy.acme.lan", "http://deploy.acme.lan:1"],
])("a server on %s is called at %s", (host, url) => {
  expect(urlOf(host, 1)).toBe(url);
});
