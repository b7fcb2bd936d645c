-- Somebody opens the sample and reads the review: comments in code, threads, the pull request, and all ways between them.

local t = require('harness')
local comments = require('sample')

local summary = 'Bitbucket #4 Discounts: percentages and vouchers · open · 1 approval · 1 change request · '
  .. 'builds 1 ✓ 1 ✗ · 8 open threads · 1 open task'

local function comments_in_code()
  local cart = t.open('till/cart.py')
  t.equal('each comment is on its line', comments['till/cart.py'], function()
    return t.comments(cart)
  end)
  t.check('no file type is needed: one server for all', function()
    return #vim.lsp.get_clients({ name = 'bitbucket' }) == 1
  end)
  t.equal('files that are not open are told of too', 7, function()
    return #vim.diagnostic.get(nil)
  end)
  for file, expected in vim.spairs(comments) do
    local bufnr = t.open(file)
    t.equal(('%s has its %d comments'):format(file, #expected), expected, function()
      return t.comments(bufnr)
    end)
  end
  t.open('till/discounts.py')
  t.equal('a task is a warning, what is outdated a faded hint', { 'INFO', 'INFO', 'INFO', 'HINT', 'WARN' }, function()
    local found = vim.diagnostic.get(0)
    vim.list_extend(found, vim.diagnostic.get(vim.fn.bufnr('test_cart.py')))
    return vim.tbl_map(function(diagnostic)
      return vim.diagnostic.severity[diagnostic.severity]
    end, found)
  end)
  t.check('signs are in the margin', function()
    local marks = vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { details = true, type = 'sign' })
    local signs = vim.tbl_map(function(mark)
      return vim.trim(mark[4].sign_text)
    end, marks)
    return vim.deep_equal(signs, { '◆', '◆', '◆', '◇' }), signs
  end)
  t.has('the first words are behind the code', 'Cleo Lindqvist: Nothing keeps this from being 250', function()
    return t.drawn(13)
  end)
  t.equal('a comment on two lines covers both', { 14, 4, 15, 55 }, function()
    local diagnostic = vim.diagnostic.get(0, { lnum = 14 })[1]
    return { diagnostic.lnum, diagnostic.col, diagnostic.end_lnum, diagnostic.end_col }
  end)
  t.has('the comment links to its page', '/corner-shop/till/pull-requests/4/', function()
    return vim.diagnostic.get(0, { lnum = 12 })[1].user_data.lsp.codeDescription.href
  end)
end

local function lenses_and_hover()
  t.open('till/cart.py')
  t.equal('lenses: the pull request, and each thread', {
    '1: ' .. summary,
    '35: Ben Okafor: Does the order matter? With 10 % and a voucher of 5.00 I get two different tota… · 2 replies',
    '35: Reply',
    '35: Resolve',
  }, t.lenses)
  t.has('the pull request is written on the first line', 'Bitbucket #4 Discounts', function()
    return t.drawn(1)
  end)
  local hover = t.hover(35)
  for _, part in ipairs({
    '**Open thread** · line 35',
    '**Ben Okafor** · 1 day ago',
    '> Does the order matter?',
    '↳ **You** · 1 day ago',
    '↳ **Cleo Lindqvist** · 7 hours ago',
    '[Open in Bitbucket](',
  }) do
    t.has('the hover has: ' .. part, part, function()
      return hover
    end)
  end
  t.equal('a line without a comment has no hover', '', function()
    return t.hover(30)
  end)
  t.open('till/discounts.py')
  t.has('a suggestion is a diff', '> -        return Money(total.cents * self.percent // 100)', function()
    return t.hover(15)
  end)
  t.has('the whole range has the hover', 'Round to the nearest cent', function()
    return t.hover(16)
  end)
  t.has('a changed line: what it was', '        return self.amount', function()
    return t.hover(24)
  end)

  t.go(13)
  vim.cmd.Bitbucket('thread')
  t.has('the thread floats in a frame', 'Nothing keeps this from being 250, or -10.', function()
    local window = vim.b.lsp_floating_preview
    if not window then
      return ''
    end
    assert(vim.api.nvim_win_get_config(window).border, 'no frame')
    return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), '\n')
  end)
  vim.api.nvim_win_close(vim.b.lsp_floating_preview, true)
  t.go(15)
  vim.cmd.Bitbucket('thread')
  t.equal('a suggestion has the colours of a diff', { 'Removed', 'Added' }, function()
    local window = vim.b.lsp_floating_preview
    local buffer = window and vim.api.nvim_win_is_valid(window) and vim.api.nvim_win_get_buf(window)
    local painted = vim.api.nvim_create_namespace('bitbucket.diff')
    return buffer
      and vim.tbl_map(function(mark)
        return mark[4].hl_group
      end, vim.api.nvim_buf_get_extmarks(buffer, painted, 0, -1, { details = true }))
  end)
  vim.api.nvim_win_close(vim.b.lsp_floating_preview, true)
end

local function actions()
  t.open('till/cart.py')
  t.go(35)
  local titles
  vim.ui.select = function(items, _, choose)
    titles = vim.tbl_map(function(item)
      return item.action.title
    end, items)
    local show = vim.fn.index(titles, 'Bitbucket: Show thread') + 1
    choose(items[show], show)
  end
  vim.lsp.buf.code_action()
  t.equal('what can be done on a thread', {
    'Bitbucket: Reply',
    'Bitbucket: Resolve thread',
    'Bitbucket: Resolve thread and go to next',
    'Bitbucket: Add task',
    'Bitbucket: Edit comment',
    'Bitbucket: Delete comment',
    'Bitbucket: Show thread',
    'Bitbucket: Open in browser',
    'Bitbucket: Copy link',
    'Bitbucket: Comment on this line',
    'Bitbucket: Suggest a change of this line',
    'Bitbucket: Comment on lines removed here',
    'Bitbucket: Show pull request #4',
  }, function()
    return titles
  end)
  t.has('Show thread opens it as a document', '# Ben Okafor: Does the order matter?', t.text)
  t.check('which is read-only', function()
    return vim.bo.readonly and not vim.bo.modifiable
  end)
  t.equal('with its lenses', {
    '7: Go to code',
    '7: Reply',
    '7: Resolve',
  }, t.lenses)
  t.go(7)
  vim.ui.select = function(lenses, options, choose)
    for index, lens in ipairs(lenses) do
      if options.format_item(lens):find('Go to code', 1, true) then
        choose(lens, index)
      end
    end
  end
  vim.lsp.codelens.run()
  t.equal('that leads back to the code', 'cart.py:35', t.here)

  vim.cmd.Bitbucket('copy')
  t.has('the link comes into a register', '/corner-shop/till/pull-requests/4/', function()
    return vim.fn.getreg('"') .. (vim.fn.has('clipboard') == 1 and vim.fn.getreg('+') or '')
  end)
  vim.ui.open = function(page)
    t.page = page
    return { wait = function() end }
  end
  vim.cmd.Bitbucket('browser')
  t.has('the thread opens in the browser', '#comment-', function()
    return t.page or ''
  end)

  t.go(1)
  vim.lsp.codelens.run()
  t.has('the first lens opens the pull request', '# #4 Discounts: percentages and vouchers', t.text)
end

local function walking()
  t.open('till/cart.py')
  t.go(1)
  local stops = {}
  for _ = 1, 8 do
    local before = t.here()
    vim.cmd.Bitbucket('next')
    vim.wait(5000, function()
      return t.here() ~= before
    end, 10)
    table.insert(stops, t.here())
  end
  t.equal('next walks over all files, and round again', {
    'cart.py:35',
    'discounts.py:1',
    'discounts.py:13',
    'discounts.py:15',
    'discounts.py:24',
    'receipt.py:18',
    'test_cart.py:16',
    'cart.py:35',
  }, function()
    return stops
  end)
  vim.cmd.Bitbucket('prev')
  t.equal('prev walks back', 'test_cart.py:16', t.here)
  vim.diagnostic.setqflist({ open = false })
  t.equal('all of it fits the quickfix list', 7, function()
    return #vim.fn.getqflist()
  end)
end

local function pull_request()
  vim.cmd.Bitbucket('show')
  t.has('the pull request is a document', '# #4 Discounts: percentages and vouchers', t.text)
  for _, part in ipairs({
    '**open** · by You · `discounts` → `main` in corner-shop/till',
    '- ✓ Ben Okafor — approved',
    '- ✗ Cleo Lindqvist — requested changes',
    '— failed · 1 error in till/cart.py',
    '- [ ] Test a voucher that is larger than the total (Ben Okafor)',
    '> Nice work. If this is in by **Friday**, the winter sale can use it.',
    '- ✓ line 5 · Ben Okafor: Nit: a Protocol would save the import. · 1 reply · resolved',
  }) do
    t.has('the document has: ' .. part, part, t.text)
  end
  t.equal('its parts are symbols', {
    'Description',
    'Reviewers',
    'Builds',
    'Tasks',
    'Comments',
    'Threads',
  }, function()
    local symbols = t.ask('textDocument/documentSymbol', { textDocument = { uri = vim.uri_from_bufnr(0) } })
    return symbols and vim.tbl_map(function(symbol)
      return symbol.name
    end, symbols[1].children)
  end)
  vim.fn.search('Nothing keeps this from being')
  local row = vim.fn.line('.')
  t.check('a thread in the list has its lens', function()
    return vim.list_contains(t.lenses(), row .. ': Go to code'), t.lenses()
  end)
  local picked
  vim.ui.select = function(items, _, choose)
    picked = items[1].action.title
    choose(items[1], 1)
  end
  vim.lsp.buf.code_action()
  t.equal('and an action', 'Bitbucket: Go to code', function()
    return picked
  end)
  t.equal('that goes to the code', 'discounts.py:13', t.here)
end

local function toggle()
  vim.cmd.Bitbucket('toggle')
  t.equal('toggle hides the comments of all files', 0, function()
    return #vim.diagnostic.get(nil)
  end)
  t.said('and says so', 'Bitbucket comments are hidden until you show them again.')
  vim.cmd.Bitbucket('toggle')
  t.equal('and shows them again', 7, function()
    return #vim.diagnostic.get(nil)
  end)
end

local function explaining()
  vim.cmd.Bitbucket('status')
  for _, part in ipairs({
    'Signed in as Ana Ruiz (the account of the environment), because the environment names it.',
    'The credentials come from the environment; stored accounts are not used.',
    'Checked out: branch discounts',
    'Remote origin',
    'Shown: pull request #4 of corner-shop/till',
    '9 threads: 8 in code, 0 in files that are not here, 1 general.',
  }) do
    t.has('the status has: ' .. part, part, t.text)
  end
  t.check('and no token', function()
    return not t.text():find(vim.env.BITBUCKET_TOKEN, 1, true)
  end)
  vim.cmd.checkhealth('bitbucket')
  for _, part in ipairs({
    'OK bitbucket-lsp ',
    'OK The credentials come from the environment',
    'OK This folder is asked for as the account of the environment',
    'BITBUCKET_TOKEN is set, which goes before',
    'Repository: ' .. vim.env.E2E_CLONE,
  }) do
    t.has(':checkhealth has: ' .. part, part, t.text)
  end
  t.check(':checkhealth finds nothing wrong', function()
    return not t.text():find('ERROR', 1, true) and not t.text():find('WARNING', 1, true), t.text()
  end)
end

t.run(function()
  comments_in_code()
  lenses_and_hover()
  actions()
  walking()
  pull_request()
  toggle()
  explaining()
  t.stop()
end)
