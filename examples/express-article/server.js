'use strict';

// An Express app as the usual "secure your Node.js app" article writes it.
// Its mistakes are left in on purpose; the README lists them.

const express = require('express');
const session = require('cookie-session');

const app = express();
const port = process.env.PORT || 3000;

const users = { demo: 'demo-password' };

const items = [
  { id: 1, name: 'Helmet', price: 25 },
  { id: 2, name: 'Gloves', price: 12 },
  { id: 3, name: 'Boots', price: 60 },
];

app.use(express.urlencoded({ extended: false }));

const expiryDate = new Date(Date.now() + 60 * 60 * 1000);
app.use(
  session({
    name: 'session',
    keys: ['key1', 'key2'],
    cookie: {
      secure: true,
      httpOnly: true,
      domain: 'example.com',
      path: 'foo/bar',
      expires: expiryDate,
    },
  })
);

const loginForm = `
    <form method="post" action="/login">
      <label>User <input name="user" autocomplete="username"></label>
      <label>Password <input name="password" type="password" autocomplete="current-password"></label>
      <button>Log in</button>
    </form>`;

const logoutForm = `
    <form method="post" action="/logout">
      <button>Log out</button>
    </form>`;

function page(user) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Gear shop</title>
  </head>
  <body>
    <h1>Gear shop</h1>
    <p id="who">${user ? `Logged in as ${user}` : 'Not logged in'}</p>${user ? logoutForm : loginForm}
    <p>Inline script: <output id="script">script did not run</output></p>
    <p>Cookies a script can read: <output id="cookies">?</output></p>
    <ul id="items"></ul>
    <script>
      document.getElementById('script').textContent = 'script ran';
      document.getElementById('cookies').textContent = document.cookie || '(none)';
      fetch('/api/items')
        .then((response) => response.json())
        .then((items) => {
          for (const item of items) {
            const line = document.createElement('li');
            line.textContent = item.name + ' ' + item.price;
            document.getElementById('items').append(line);
          }
        });
    </script>
  </body>
</html>
`;
}

app.get('/', (req, res) => {
  res.send(page(req.session.user));
});

app.post('/login', (req, res) => {
  const { user, password } = req.body || {};
  if (!Object.hasOwn(users, user) || users[user] !== password) {
    return res.status(401).send('Wrong user or password');
  }
  req.session.user = user;
  res.cookie('user', user);
  res.redirect('/');
});

app.post('/logout', (req, res) => {
  req.session = null;
  res.clearCookie('user');
  res.redirect('/');
});

app.get('/api/items', (req, res) => {
  res.json(items);
});

app.listen(port, () => {
  console.log(`listening on port ${port}`);
});
