const lines = (text: string): string[] =>
  text
    .split('|')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** What people write to the bot, by what it means. Parted by bars. */
export const sentences: Record<string, string[]> = {
  stop: lines(`stop | Stop! | stop it | stop that | please stop | stop please | can you stop | could you please stop it | stop now | stop right now
    | cancel | cancel it | cancel that | cancel the run | cancel run 12 | cancel #12 | abort | abort it | halt | halt! | stop everything | stop all runs
    | stop the job | stop the task | stop this task now | stop what you are doing | stop working | kill it | kill the run | end it | quit | terminate it
    | stop there | stop right there | make it stop | enough | that's enough | never mind | nevermind | forget it | forget about it | leave it | call it off | emergency stop | oh no stop | no, stop
    | stpo | sotp | stopp | stop!!! | STOP | canel | cancle it | cacnel | abrot | hey skynet, stop | ok stop | wait, stop it | 🛑 | ✋
    | Stopp! | stoppe das | bitte stoppen | alles stoppen | abbrechen | bitte abbrechen | brich ab | brich das ab | brich alles ab | hör auf | hör damit auf | halt an | halte das an | anhalten | aufhören | Abbruch | Schluss damit | kannst du das bitte stoppen | lass es | nein, stopp
    | para | ¡para! | para ya | por favor para | detente | cancela | cancela todo | cancélalo | basta | alto | puedes parar | detén la tarea | aborta
    | arrête | arrête tout | arrête ça | arrête-toi | stoppe | annule | annule tout | ça suffit | s'il te plaît arrête | arrêtez | laisse tomber
    | pare | pare tudo | pare por favor | chega | cancele a tarefa | interrompa | pode parar
    | стоп | Стоп! | остановись | останови это | отмена | отмени всё | хватит | прекрати | останови пожалуйста | стой`),
  pause:
    lines(`pause | pause it | pause the run | please pause | pause #12 | pause for now | pause for a moment | hold on | hold it | hang on | wait | wait a minute | wait please | can you pause it | puase | pasue | put it on hold | pause everything | suspend it | not so fast | pause for 5 minutes
    | pausiere | mach eine Pause | mach mal Pause | warte | warte mal | warte kurz | bitte pausieren | Moment mal
    | pausa | ponlo en pausa | espera | espera un momento | haz una pausa
    | mets en pause | mets-le en pause | attends | attends un peu | fais une pause
    | aguarde | espere | pausar | faz uma pausa
    | пауза | подожди | поставь на паузу | приостанови | погоди`),
  resume:
    lines(`go on | continue | continue please | please continue | resume | resume it | carry on | keep going | proceed | go ahead | you can go on | you may continue | ok go on | yes, go on | continue #12 | resume run 12 | unpause | contineu | resmue | continue with it | go on with the run | keep working | ok continue now
    | weiter | mach weiter | bitte weitermachen | weiter geht's | fahr fort | fortsetzen | setz es fort | ja, weiter
    | sigue | continúa | sigue adelante | adelante | reanuda | continuar
    | reprends | continuez | vas-y | on continue | reprendre | poursuis
    | prossiga | retome | pode continuar | em frente | segue
    | продолжай | продолжи | дальше | возобнови | продолжить пожалуйста`),
  retry:
    lines(`retry | retry it | try again | try it again | once more | again | again please | run it again | do it again | rerun | rerun it | redo it | repeat | repeat that | one more time | retry #12 | retry step 3 | retry step 2 of #12 | please retry | retyr | give it another try | can you try again
    | nochmal | noch mal | noch einmal | versuch es nochmal | versuche es noch einmal | wiederholen | bitte nochmal versuchen | erneut versuchen
    | reintenta | inténtalo de nuevo | otra vez | repítelo
    | réessaie | recommence | relance | encore une fois | essaie encore
    | tente de novo | tenta novamente | de novo | mais uma vez
    | повтори | ещё раз | попробуй ещё раз | снова`),
  approve:
    lines(`approve | approve it | approve K7 | I approve | approved | accept it | allow it | do it | go for it | yes, do it | lgtm | ship it | authorize it | please approve the plan
    | genehmigt | genehmige es | gib es frei | mach es | einverstanden | apruébalo | aprobado | hazlo | approuve | valide | aprove | aprovado | одобряю | разрешаю | согласен`),
  deny: lines(`deny | deny it | deny K7 | reject | reject it | refuse | decline it | don't do it | do not run it | rejected
    | ablehnen | lehne es ab | nicht ausführen | recházalo | rechaza | no lo hagas | refuser | rejette | rejeita | recuse | отклонить | отклони | запрещаю`),
  keep: lines(`don't stop | do not stop | don't stop it | do not cancel the run | never stop | keep it running | please don't stop
    | nicht abbrechen | hör nicht auf | brich es nicht ab | no pares | no canceles | no cancelar | n'arrête pas | ne l'arrête pas | não pare | не останавливай`),
  'ask progress':
    lines(`how far? | how far | how far is it? | how far are you? | how far along is it | how far is #12 | how far has it got | how is it going? | how's it going | status | status? | status please | progress | any progress? | any news? | any updates | what's going on? | what is happening | what's running | is it still running? | are you still there? | still running? | where are you? | status of #12 | what's the status | status update | progess? | staus?
    | Wie weit? | wie weit bist du? | wie weit ist es | Stand? | wie ist der Stand | was ist los | gibt's was Neues | läuft es?
    | ¿cómo va? | cómo vas | ¿qué tal va? | novedades | où en es-tu ? | tu en es où ? | ça avance ? | como está indo? | em que pé está | andamento? | как дела? | как там? | статус | что происходит?`),
  'ask doing':
    lines(`what is it doing? | what are you doing? | what are you doing right now | what's it doing | what are you working on? | which step is it on? | what step are you at | what is it running | what are you up to | which step?
    | was machst du? | was macht es? | bei welchem Schritt bist du | ¿qué haces? | ¿qué estás haciendo? | que fais-tu ? | qu'est-ce que tu fais ? | o que você está fazendo? | что ты делаешь? | что делаешь`),
  'ask result':
    lines(`is it done? | are you done? | done yet? | is it finished | finished? | did it work? | did it succeed? | did it finish? | how did it go? | what was the result? | what is the outcome? | has it finished? | was it successful? | did the run pass? | is it ready yet? | result? | what happened?
    | fertig? | ist es fertig? | bist du fertig? | hat es geklappt? | Ergebnis? | ¿terminó? | ¿ya está listo? | ¿funcionó? | c'est fini ? | c'est prêt ? | ça a marché ? | terminou? | deu certo? | готово? | получилось?`),
  'ask failed':
    lines(`what failed? | what failed | what went wrong? | what broke? | what's wrong? | what is wrong with it | what is the error? | what was the problem? | any errors? | did anything fail? | which step failed? | what failed in #12 | where did it fail? | did it fail? | which tests failed? | what faield?
    | was ist schiefgegangen? | was ging schief? | was ist der Fehler? | gab es Fehler? | ¿qué falló? | ¿qué salió mal? | ¿hay errores? | qu'est-ce qui a échoué ? | quel est le problème ? | o que falhou? | o que deu errado? | что сломалось? | какая ошибка? | что не так?`),
  'ask why':
    lines(`why? | why | why not? | how come? | why did it fail? | why did it stop? | why is it waiting? | why is it stuck? | why is it taking so long? | why do you ask? | why did you ask for approval? | why does it need approval? | why was it refused? | why is it paused | why did #12 fail? | why isn't it running? | what's the reason?
    | warum? | wieso? | warum hat es nicht geklappt? | ¿por qué? | ¿por qué falló? | pourquoi ? | pourquoi ça a échoué ? | por que falhou? | почему? | зачем?`),
  'ask plan': lines(
    `why this plan? | what is the plan? | what's the plan | what will you do? | what are you going to do? | what is it going to do | was ist der Plan? | ¿cuál es el plan? | quel est le plan ?`,
  ),
  'ask eta':
    lines(`how long? | how long yet? | how long still? | how much longer? | how long will it take? | how long does it take | how long until it's done? | when will it be done? | when is it finished? | when will you be ready? | ETA? | what's the ETA? | time left? | how much time is left? | almost done? | are we there yet? | is it nearly done
    | wie lange noch? | wie lange dauert es noch? | wann ist es fertig? | bald fertig? | ¿cuánto falta? | ¿cuándo termina? | combien de temps encore ? | c'est bientôt fini ? | quanto falta? | falta muito? | quando termina? | сколько ещё? | сколько осталось? | когда будет готово?`),
  'ask changed':
    lines(`what did it change? | what has it changed? | what did you change? | which files did it change? | what did it touch? | what did #12 change? | did it change anything? | what changed in #12? | which files have you modified? | what was changed by it | what did it write
    | was hat es geändert? | was hast du verändert? | ¿qué has cambiado? | qu'as-tu changé ? | quels fichiers as-tu modifiés ? | o que você mudou? | что ты изменил? | что изменилось?`),
  'ask approver':
    lines(`who approved? | who approved it? | who approved that? | who allowed this? | who gave approval? | who said yes? | was it approved? | who denied it? | who approved #12? | approved by whom? | who has approved it? | who authorized that?
    | wer hat das genehmigt? | wer hat es freigegeben? | ¿quién lo aprobó? | qui a approuvé ? | quem aprovou? | кто одобрил? | кто это разрешил?`),
  'ask asker': lines(
    `who started it? | who started this? | who asked for it? | who cancelled it? | wer hat das gestartet? | qui a lancé ça ? | кто это запустил?`,
  ),
  'ask next':
    lines(`what next? | what's next? | what is next | what comes next? | what now? | next step? | then what? | and then? | what will you do next? | what happens next? | what is left? | what should I do?
    | was kommt als nächstes? | was nun? | wie geht es weiter? | ¿qué sigue? | ¿y ahora qué? | et maintenant ? | et après ? | e agora? | что дальше? | и что дальше?`),
  'ask waiting':
    lines(`what is it waiting for? | what are you waiting for? | is it stuck? | are you stuck? | what's blocking it? | do you need anything from me? | do you need my approval? | anything to approve? | what's pending? | what do you need? | is it hanging?
    | worauf wartest du? | hängt es? | ¿qué esperas? | tu attends quoi ? | está travado? | чего ждёшь?`),
  'ask where': lines(
    `where is it running? | where does it run? | which machine? | on which machine is it? | wo läuft es? | ¿dónde está? | где это работает?`,
  ),
  'ask output': lines(
    `what did it say? | what did it print? | show me its output | what is the output? | last lines? | what does it say? | was hat es ausgegeben? | что оно вывело?`,
  ),
  'ask cost': lines(
    `how much did it cost? | what did it cost? | cost? | how many tokens? | was hat es gekostet? | сколько это стоило?`,
  ),
  hello: lines(
    `hi | Hello! | hey there | good morning | hallo | guten Morgen | hola | bonjour | olá | bom dia | привет | how are you? | wie geht's? | start | moin`,
  ),
  thanks: lines(
    `thanks | thank you! | thx | thanks a lot | ok thanks | great, thanks! | danke | vielen Dank | gracias | muchas gracias | merci | obrigado | спасибо | cheers`,
  ),
  bye: lines(`bye | good night | see you later | tschüss | bis später | adiós | au revoir | tchau | пока`),
  praise: lines(
    `good job | well done! | great | nice work | perfect | awesome! | cool | that's great | sehr gut | gut gemacht | muy bien | parfait | muito bem | молодец | отлично | 👍`,
  ),
  yes: lines(`yes | yes please | yep | sure | ja | sí | oui | sim | да`),
  no: lines(`no | nope | no thanks | nein | non | não | нет`),
  fine: lines(
    `ok | okay. | got it | I see | alright | hm | verstanden | alles klar | vale | entendido | понятно | ладно | k`,
  ),
  sorry: lines(`sorry | my bad | oops | entschuldigung | désolé | извини`),
  complaint: lines(`oh no | damn | wtf | verdammt | merde`),
  help: lines(
    `help | help! | help me please | what can you do? | what can I do here | how does this work? | how do I approve? | how do I approve a plan | how do I add a machine? | how can I stop a run? | how do I see the logs? | who are you? | are you a bot? | what commands are there? | which model do you use? | Hilfe | was kannst du? | ayuda | ¿qué puedes hacer? | aide | aide-moi | ajuda | помощь | что ты умеешь?`,
  ),
  machines: lines(
    `machines | my machines | agents? | which machines are there? | which machines are online | show my machines | workers`,
  ),
}

/** What asks for work, however near it sounds to a word to the bot. */
export const requests: string[] =
  lines(`stop the web server on laptop | pause the music player | stop nginx | stop the docker containers | cancel the cron job for backups | stop the dev server in api
  | kill the process on port 3000 | kill pid 4711 | kill node | terminate the ssh session of bob | stop the database | pause the video | stop spotify | halt the machine | shut down laptop | shut it down | restart | restart nginx | restart the web server on laptop | reboot
  | suspend | suspend laptop | abort the merge | abort the rebase | cancel my aws subscription | cancel the last commit | stop tracking node_modules in git | stop logging to stdout
  | continue the rebase | continue with the tests | continue writing the readme | resume the download | resume the vm | proceed to delete the old branches | go on vacation mode | carry on with the refactoring of auth
  | retry the tests | rerun the tests | run the tests again | try again with node 22 | repeat the tests 10 times | redo the migration with the new schema | do the tests again
  | approve the pull request | approve PR 12 on github | reject the pull request | accept the license agreement of xcode | allow port 443 in the firewall | deny all incoming traffic
  | run the tests | run the tests in api on laptop | what changed? | what changed since yesterday | show the diff | git status | show status of nginx | status of the firewall | what is the status of the postgres service | how much disk space is left? | how far is the moon?
  | how long does the test suite take on average? write it to a file | how long is the file README.md | how many lines of code are there? | how many tests do we have? | what is the biggest file? | what is running on port 8080? | what is using all the memory?
  | which processes are running? | what services are running | who is logged in? | who committed last? | who changed auth.ts? | when was the last commit? | when was the last backup made? | where is the config file? | where is nginx installed? | where are the logs of nginx?
  | why does the login test fail? | why is the build slow? | why is laptop so slow | why is nginx not starting | what is wrong with nginx | what is wrong with the login page | what failed in the last CI build on github | fix what failed | fix it | plan a fix | fix the failing test | explain why the tests fail
  | what did bob change last week? | what did the last commit change? | which files did the last commit change | who approved the last pull request? | what is the output of uname -a | show the output of ls
  | next: update the readme | what next.js version do we use? | how is the weather? | how is the memory usage | how is the database doing
  | install pause | create a file called stop | write stop to a file | add a stop button to the page | add a pause feature | rename stop.sh to halt.sh | make the stop button red | search for the word cancel | find all uses of abort | grep stop | delete the cancel button | implement retry with back-off | document the pause command | test the resume function | add a retry to the http client
  | stop and remove all containers | stop the server and then start it again | pause then resume the container web | stop on error when running the tests | don't stop on errors when running the tests | run the tests and stop at the first failure | run the tests, cancel after 5 minutes | stop after the build | do not stop at the first failure
  | thanks to bob the build works, deploy it | thank the contributors in the readme | say hello to the world in a file | write hello to greeting.txt | hello world in rust please | make a hello world | ok, run the tests | yes run the tests | no, run the lint | great, now deploy it | good, now commit it | commit it | push it | deploy it | build it | undo it | revert it | format it | lint it
  | help me write a readme | help the tests pass | what can you do about the failing tests? | how do I exit vim? write it down in notes.txt | how do I install docker on laptop | machines need updates, install them | add the machines page to the docs | update | update everything | upgrade all packages | clean up | list files | disk usage | uptime | top | ls | date | whoami
  | stoppe den Webserver auf laptop | starte die Tests | brich den Rebase ab | halte den Container web an | mach die Tests nochmal grün | was ist im Ordner src? | warum ist der Build langsam? | zeig mir die letzten Commits | führe die Tests aus | pausiere die Musik | wie groß ist die Datenbank?
  | para el servidor web | detén nginx | ejecuta las pruebas | muestra los cambios | reinicia el servidor | ¿qué archivos hay? | continúa el rebase | aprueba el pull request
  | arrête le serveur web | lance les tests | montre les changements | continue le rebase | annule le dernier commit | pourquoi le build est lent ? | mets à jour les paquets
  | pare o servidor web | rode os testes | mostre as mudanças | cancele o cron | останови веб-сервер | запусти тесты | покажи изменения | почему тест падает на CI? | отмени последний коммит | продолжи rebase
  | end of the line | end of file missing in main.c | stop of the server | stoop | shop | step | parse | spot the bug | phase out the old api | stomp`)
