-- Somebody keeps tasks: adds, completes, opens, edits and deletes them, on threads and on the pull request.

local t = require('harness')
local w = require('writing')

---A task by its text, as Bitbucket has it.
local function task(raw)
  return vim.iter(t.tells('tasks')):find(function(one)
    return one.raw == raw
  end)
end

local function severity(line)
  local found = vim.diagnostic.get(0, { lnum = line - 1 })[1]
  return found and vim.diagnostic.severity[found.severity]
end

local function on_a_thread(file)
  local thread = w.comment_that('Does the order matter?')
  local last = w.comment_that('Customers will ask.')
  t.go(35)
  t.equal('a comment is an information', 'INFO', function()
    return severity(35)
  end)
  w.command('task Write the order down')
  t.check('a task by its text is on Bitbucket, on the thread', function()
    local added = task('Write the order down')
    return added and vim.list_contains({ thread.id, last.id }, added.comment) and added.author == 'ana', added
  end)
  t.equal('the comment is a warning now', 'WARN', function()
    return severity(35)
  end)
  t.has('and says so', '· 1 open task', function()
    return t.comments(file)[1]
  end)
  t.has('the thread lists it', 'Write the order down', function()
    return t.hover(35)
  end)
  t.check('without a draft', function()
    return #w.drafts_on_disk() == 0
  end)

  w.opens_draft('one is edited in a draft', function()
    w.command('task edit')
  end, 'Edit of a task')
  t.equal('which has its text', 'Write the order down', w.body)
  w.press('A in the README<Esc>')
  w.send('sent, the draft is gone')
  t.equal('Bitbucket has the new text', { 'Write the order down' }, function()
    local edited = task('Write the order down in the README')
    return edited and edited.edits
  end)
  t.has('so has the thread', 'Write the order down in the README', function()
    return t.hover(35)
  end)

  w.command('task done')
  t.equal('done, it is done on Bitbucket', 'ana', function()
    return task('Write the order down in the README').resolved_by
  end)
  t.equal('and the comment is an information again', 'INFO', function()
    return severity(35)
  end)
  w.command('task reopen')
  t.check('opened again, it is open on Bitbucket', function()
    return not task('Write the order down in the README').resolved_by
  end)
  t.equal('and the comment is a warning', 'WARN', function()
    return severity(35)
  end)

  w.pick()
  w.command('task delete')
  w.was_asked('before one is deleted, it is asked', 'Delete the task «Write the order down in the README»?')
  t.check('without a yes it stays', function()
    return task('Write the order down in the README')
  end)
  w.pick('Delete')
  w.command('task delete')
  t.check('with one it is gone', function()
    return not task('Write the order down in the README'), t.tells('tasks')
  end)
  t.equal('and the comment is an information', 'INFO', function()
    return severity(35)
  end)
  w.pick()
end

local function of_several()
  w.command('task First')
  t.check('one task', function()
    return task('First')
  end)
  w.opens_draft('a second one by a draft', function()
    w.command('task')
  end, 'Task on')
  w.type('Second')
  w.send('sent, the draft is gone')
  t.has('both are counted', '· 2 open tasks', function()
    return t.comments(0)[1]
  end)
  w.pick('Second')
  w.command('task done')
  w.was_asked('of several it is asked which', 'Which task?')
  t.equal('and that one is done', { true, false }, function()
    return { task('Second').resolved_by ~= nil, task('First').resolved_by ~= nil }
  end)
  w.pick()
  t.has('the other one is not', '· 1 open task', function()
    return t.comments(0)[1]
  end)
  w.act('Complete task')
end

local function on_the_pull_request()
  t.go(12)
  w.command('task Tell the cashiers')
  t.equal('where there is no thread, the task is on the pull request', nil, function()
    local added = task('Tell the cashiers')
    return not added and 'none' or added.comment
  end)
  vim.cmd.Bitbucket('show')
  t.has('whose document lists it', '- [ ] Tell the cashiers (You)', t.text)
end

w.run(function()
  local file = w.review('till/cart.py', { 35 })
  on_a_thread(file)
  of_several()
  on_the_pull_request()
  t.stop()
end)
