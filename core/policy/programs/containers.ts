import type { ProgramTable } from './program.ts'

/** Containers and clusters. */
export const containers: ProgramTable = {
  'docker podman nerdctl': {
    takes: '-H --host -c --context --config -l --log-level',
    flags: { '-H --host -c --context': 'network.remote', '--config': 'container.run' },
    subcommands: {
      'ps images version info stats port diff --version -v events': {
        effect: 'container.read',
        plain: '-alqs --all --latest --quiet --size --no-trunc --no-stream --digests --tree',
        takes: '-n -f --last --filter --format --since --until',
      },
      history: { effect: 'container.read', plain: '-q --quiet --no-trunc --human', takes: '--format' },
      logs: {
        effect: 'container.read',
        plain: '-ft --follow --timestamps --details',
        takes: '-n --tail --since --until',
      },
      inspect: { effect: 'secrets.environment' },
      'image container volume network context system manifest': {
        effect: 'container.read',
        subcommands: {
          'ls list df info history stats logs port ps': {
            effect: 'container.read',
            plain: '-aqvt --all --quiet --verbose --no-trunc --no-stream --timestamps --human --digests',
            takes: '-f -n --filter --format --tail --since --until',
          },
        },
        other: 'container.change',
      },
      compose: {
        subcommands: {
          'ps ls logs images version port': {
            effect: 'container.read',
            plain:
              '-aqft --all --quiet --services --follow --timestamps --no-color --no-log-prefix --no-trunc --short --orphans',
            takes: '-n --tail --format --filter --status --since --until --index --protocol',
          },
          config: { effect: 'secrets.environment' },
        },
        plain: '--ansi --no-ansi --compatibility --all-resources',
        takes: '-p --project-name --profile',
        files: { '-f --file --env-file --project-directory': 'read' },
        other: 'container.run',
      },
      'run exec create start restart build buildx up attach cp compose-run': {
        effect: 'container.run',
        network: true,
      },
      'pull push login logout commit tag': { effect: 'container.change', network: true },
    },
    other: 'container.change',
    bare: 'info',
    examples: {
      allow: ['docker ps', 'docker images', 'docker logs -n 5 web', 'docker compose ps', 'docker --version'],
      ask: [
        'docker run alpine',
        'docker exec -it x sh',
        'docker rm -f x',
        'docker system prune',
        'docker inspect x',
        'docker compose up',
        'docker top x e',
        'docker -c remote ps',
        'docker ps --nonesuch',
        'docker compose -f .env ps',
        'podman --runtime x ps',
      ],
      deny: ['docker run -v /:/host alpine', 'docker run --privileged alpine'],
    },
  },
  'docker-compose': {
    subcommands: {
      'ps ls logs images version --version': {
        effect: 'container.read',
        plain: '-aqft --all --quiet --follow',
        takes: '--tail',
      },
    },
    takes: '-p --project-name',
    files: { '-f --file': 'read' },
    other: 'container.run',
    bare: 'info',
    examples: { allow: ['docker-compose ps'], ask: ['docker-compose up'] },
  },
  'kubectl oc k3s-kubectl': {
    takes: '-n --namespace --context -o --output -l --selector --cluster',
    network: true,
    flags: { '--kubeconfig --token --server -s --as --raw': 'cluster.change' },
    subcommands: {
      'get describe top explain api-resources api-versions cluster-info version': {
        effect: 'cluster.read',
        network: true,
        plain:
          '-AwLR --all-namespaces --watch --watch-only --show-labels --no-headers --show-kind --show-events --client --short --recursive --ignore-not-found --containers --namespaced --chunk-size',
        takes: '--sort-by --field-selector --label-columns --api-group --verbs --subresource',
      },
      config: {
        subcommands: { 'current-context get-contexts get-clusters get-users': { effect: 'cluster.read' } },
        other: 'cluster.change',
        bare: 'info',
      },
      logs: {
        effect: 'cluster.read',
        network: true,
        plain: '-fp --follow --previous --timestamps --all-containers --prefix --ignore-errors',
        takes: '-c --container --tail --since --since-time --max-log-requests --limit-bytes',
      },
    },
    other: 'cluster.change',
    bare: 'info',
    examples: {
      allow: ['kubectl get pods', 'kubectl -n x get svc', 'kubectl config current-context'],
      ask: [
        'kubectl delete pod x',
        'kubectl exec x -- sh',
        'kubectl config view --raw',
        'kubectl config use-context x',
        'kubectl get secrets -o yaml',
        'kubectl apply -f x',
        'kubectl get -f x',
        'kubectl get pods -o go-template-file=x',
        'kubectl --kubeconfig=x get pods',
      ],
    },
  },
  helm: {
    network: true,
    takes: '-n --namespace --kube-context',
    subcommands: {
      'list ls status history version': {
        effect: 'cluster.read',
        network: true,
        plain:
          '-aAqdr --all --all-namespaces --short --date --reverse --deployed --failed --pending --no-headers --show-resources',
        takes: '-o -l -m -f --output --selector --max --offset --filter --revision --time-format',
      },
    },
    other: 'cluster.change',
    bare: 'info',
    examples: { allow: ['helm list'], ask: ['helm upgrade x y'] },
  },
  'kind minikube k3d k3s k9s kustomize skaffold tilt argocd flux istioctl eksctl kops kubeadm': {
    effect: 'cluster.change',
    free: true,
    network: true,
    examples: { ask: ['minikube start'] },
  },
}
