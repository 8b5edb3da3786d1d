// A demo on a web page without a kernel: it takes the place of the still pictures that wait for it.

// `values` are the demo's data, `tensors` (or null) the compressed file of its numbers, as base64.
export async function showOnPage(name, mount, values, tensors) {
  const data = tensors === null ? values : { ...values, tensors: await unzipped(tensors) };
  for (const still of document.querySelectorAll(`[data-demo="${name}"]`)) {
    const place = document.createElement("div");
    mount(place, data);
    // Until here the still stays, whatever goes wrong.
    still.replaceChildren(place);
  }
}

async function unzipped(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new DataView(await new Response(stream).arrayBuffer());
}
