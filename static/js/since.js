// Who writes a time means it: the choice beside the field follows.
document.querySelector('.saga-from [name="at"]')?.addEventListener("input", (event) => {
  event.target.closest("fieldset").querySelector('[value="at"]').checked = true;
});
