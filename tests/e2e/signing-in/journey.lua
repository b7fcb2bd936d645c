-- What the suites of signing in share: the way to the browser and what it told of its visits.

local t = require('harness')
local comments = require('sample')

local M = {}

-- A browser has to start first, maybe on a machine that is busy.
t.patience = 60000

---How many times a browser was opened in this world.
function M.visits()
  return #vim.fn.glob(vim.env.E2E_BROWSER_VISITS .. '/*', true, true)
end

---Starts to sign in, and says what is done in the browser; see browser/visit.py.
function M.login(decision)
  vim.env.E2E_BROWSER = decision
  vim.cmd.Bitbucket('login')
end

---Waits until a visit is over; what it came to, empty if it is not. See browser/visit.py.
function M.report(number)
  local file = ('%s/%d/report.json'):format(vim.env.E2E_BROWSER_VISITS, number)
  t.check(('visit %d of the browser comes to an end'):format(number), function()
    return vim.fn.filereadable(file) == 1, { no = file, said = t.messages }
  end)
  local found, lines = pcall(vim.fn.readfile, file)
  return found and vim.json.decode(table.concat(lines, '\n'), { luanil = { object = true } }) or {}
end

---Waits for the address that a browser on another computer ended at, and takes it away from there.
function M.address(number)
  local file = ('%s/%d/address'):format(vim.env.E2E_BROWSER_VISITS, number)
  t.check(('visit %d ends at a page that does not open'):format(number), function()
    return vim.fn.filereadable(file) == 1, t.messages
  end)
  local address = (vim.fn.readfile(file))[1]
  vim.fn.delete(file)
  return address
end

---Answers the server's questions from now on, by the number of a choice, or not at all; what was asked so far, in order.
---@param answer? integer
---@return { question: string, choices: string[] }[]
function M.answer(answer)
  local asked = {}
  vim.ui.select = function(items, options, choose)
    local show = options.format_item or tostring
    table.insert(asked, { question = options.prompt, choices = vim.tbl_map(show, items) })
    choose(answer and items[answer], answer)
  end
  return asked
end

---Checks the page that a visit ended at.
function M.ended(number, title, part)
  local report = M.report(number)
  t.equal(('the browser shows: %s'):format(title), title, function()
    return report.ended and report.ended.title or report.problem
  end)
  t.has(('and says: %s'):format(part), part, function()
    return report.ended and report.ended.text or ''
  end)
end

---Waits for the comments of the sample, in one file that is open and in one that is not yet.
function M.comments_are_there(cart)
  t.equal('each comment is on its line', comments['till/cart.py'], function()
    return t.comments(cart)
  end)
  t.equal('files that are not open are told of too', 7, function()
    return #vim.diagnostic.get(nil)
  end)
  local discounts = t.open('till/discounts.py')
  t.equal('and a file that is opened now has its own', comments['till/discounts.py'], function()
    return t.comments(discounts)
  end)
end

---Opens a file while nobody is signed in; its buffer.
function M.signed_out()
  local cart = t.open('till/cart.py')
  t.said('a message says that nobody is signed in', 'not signed in')
  t.equal('and there are no comments', 0, function()
    return #vim.diagnostic.get(nil)
  end)
  return cart
end

return M
