// One dead letter: the graph begins where the path was left.
(() => {
  const flow = document.querySelector("[data-left-at]");
  const card = flow && document.getElementById(flow.dataset.leftAt);
  if (!card) return;
  const stage = flow.querySelector(".stage");
  const box = card.getBoundingClientRect();
  stage.scrollLeft += box.left - stage.getBoundingClientRect().left - stage.clientWidth / 2 + box.width / 2;
})();
